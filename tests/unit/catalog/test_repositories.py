"""What a vendor's repository puts on a host, and that it goes with its component."""

from himari.catalog.component import Component, File, Repository
from himari.catalog.repositories import all_files, keyring_file, sources_file, sources_text
from himari.runs.put import owned

VENDOR = Repository(
    name="vendor", suite="stable", components=("main", "extra"), keyring="v.asc", keyring_sha256="0" * 64
)
COMPONENT = Component(name="x", repositories=(VENDOR,), files=(File(path="/etc/x.conf"),))
PATHS = ("/etc/apt/keyrings/himari-v.asc", "/etc/apt/sources.list.d/himari-vendor.sources")


def test_apt_is_told_where_it_is_and_whose_signature_alone_counts() -> None:
    assert sources_text(VENDOR, "https://packages.example.org/debian", PATHS[0]).splitlines() == [
        "Types: deb",
        "URIs: https://packages.example.org/debian",
        "Suites: stable",
        "Components: main extra",
        f"Signed-By: {PATHS[0]}",
    ]


def test_both_files_are_put_before_packages_and_are_for_all_to_read() -> None:
    files = (keyring_file(VENDOR), sources_file(VENDOR))
    assert tuple(file.path for file in files) == PATHS
    assert all(file.before_packages and file.mode == 0o644 for file in files)


def test_apt_reads_the_list_of_that_repository_alone() -> None:
    apply = sources_file(VENDOR).apply
    assert apply[:2] == ("apt-get", "update")
    assert {"Dir::Etc::SourceParts=-", f"Dir::Etc::SourceList={PATHS[1]}", "APT::Get::List-Cleanup=0"} <= set(apply)


def test_they_are_looked_at_and_removed_with_the_components_own() -> None:
    assert tuple(file.path for file in all_files(COMPONENT)) == (*PATHS, "/etc/x.conf")
    assert owned([COMPONENT]).files == (*PATHS, "/etc/x.conf")
