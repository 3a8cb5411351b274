"""A vendor's repository in a folder, its keyring and the real apt, whose own folders are below the test's."""

import hashlib
import os
import subprocess
from dataclasses import asdict, replace
from email.utils import formatdate
from pathlib import Path

import msgspec
import pytest

from himari.apply.agent.main import answer
from himari.apply.agent.places import Places
from himari.apply.desired import Desired, merge
from himari.apply.difference import Comparison
from himari.apply.render import Rendered
from himari.apply.repositories import repository_files
from himari.catalog.component import Repository
from himari.stack.errors import StackFileError
from himari.stack.load import load_stack
from himari.stack.model import Source, Stack
from tests.services.conftest import free_port
from tests.unit.apply.test_difference import STATE

CONTROL = "Package: vendored\nVersion: 1.2\nArchitecture: all\nMaintainer: vendor\nDescription: x\n"
# apt as root gives up its rights to an account that cannot read below the test's folder.
APT = 'Dir "{root}";\nDir::State::status "{root}/status";\nAPT::Sandbox::User "root";\nAcquire::Retries "0";\n'


class Vendor:
    """Who signs a repository with one package."""

    def __init__(self, folder: Path) -> None:
        self.url = f"file://{folder / 'debian'}"
        self.keyring = folder / "vendor.gpg"
        self._home = folder / "gnupg"
        self._home.mkdir(mode=0o700)
        self._gpg("--quick-gen-key", "vendor@example.org", "ed25519", "sign", "never")
        self._gpg("--output", str(self.keyring), "--export")
        self._publish(folder)

    def _gpg(self, *words: str) -> None:
        options = ("--batch", "--quiet", "--yes", "--pinentry-mode", "loopback", "--passphrase", "")
        subprocess.run(("gpg", "--homedir", str(self._home), *options, *words), check=True, capture_output=True)

    def _publish(self, folder: Path) -> None:
        built = folder / "built" / "DEBIAN"
        built.mkdir(parents=True)
        (built / "control").write_text(CONTROL)
        lists = folder / "debian" / "dists" / "stable" / "main" / "binary-amd64"
        lists.mkdir(parents=True)
        package = folder / "debian" / "vendored.deb"
        subprocess.run(("dpkg-deb", "--build", built.parent, package), check=True, capture_output=True)
        size, sum_ = package.stat().st_size, hashlib.sha256(package.read_bytes()).hexdigest()
        listed = f"{CONTROL}Filename: vendored.deb\nSize: {size}\nSHA256: {sum_}\n".encode()
        (lists / "Packages").write_bytes(listed)
        row = f" {hashlib.sha256(listed).hexdigest()} {len(listed)} main/binary-amd64/Packages\n"
        release = folder / "debian" / "dists" / "stable" / "Release"
        date = formatdate(usegmt=True).replace("GMT", "UTC")
        said = f"Suite: stable\nComponents: main\nArchitectures: amd64\nDate: {date}\nSHA256:\n{row}"
        release.write_text(said)
        self._gpg("--output", str(release.with_name("InRelease")), "--clearsign", str(release))


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Vendor:
    return Vendor(tmp_path_factory.mktemp("vendor"))


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host's file system, as far as apt goes."""
    root = tmp_path / "host"
    for folder in ("etc/apt/preferences.d", "etc/apt/apt.conf.d", "var/lib/apt/lists/partial", "var/cache/apt"):
        (root / folder).mkdir(parents=True)
    (root / "status").touch()
    (tmp_path / "apt.conf").write_text(APT.format(root=root))
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
    return root


def repository(vendor: Vendor) -> Repository:
    sha256 = hashlib.sha256(vendor.keyring.read_bytes()).hexdigest()
    return Repository(name="vendor", suite="stable", components=("main",), keyring="v.gpg", keyring_sha256=sha256)


def stack(url: str, keyring: Path) -> Stack:
    said = {"vendor": Source(url=url, keyring=str(keyring))}
    return msgspec.structs.replace(load_stack("lab-edge"), sources=said)


def wanted(vendor: Vendor, root: Path, url: str = "") -> Desired:
    files = repository_files(repository(vendor), stack(url or vendor.url, vendor.keyring), str(root))
    return merge([Desired(files=files)])


def activate(desired: Desired, root: Path) -> dict[str, object]:
    places = Places(
        run=root / "run", lib=root / "lib", trees=root / "opt" / "trees", environments=root / "opt" / "envs"
    )
    state = replace(STATE, entries={})
    activation = Comparison(desired, state, {}, "").difference(desired).activation
    return answer("activate", asdict(activation), replace(places, wheels=root / "wheels", policy=root / "policy"))


def offered(root: Path) -> str:
    done = subprocess.run(("apt-cache", "policy", "vendored"), capture_output=True, text=True, check=True)
    return done.stdout


def test_a_vendors_packages_can_be_had_once_its_repository_is_put(vendor: Vendor, root: Path) -> None:
    report = activate(wanted(vendor, root), root)
    assert report["failure"] is None
    assert "Candidate: 1.2" in offered(root)
    assert (root / "etc/apt/sources.list.d/himari-vendor.sources").read_text().splitlines() == [
        "Types: deb",
        f"URIs: {vendor.url}",
        "Suites: stable",
        "Components: main",
        f"Signed-By: {root}/etc/apt/keyrings/himari-v.gpg",
    ]


def test_it_is_put_before_packages_are_installed(vendor: Vendor, root: Path) -> None:
    files = wanted(vendor, root).files
    activation = Comparison(Desired(files=files), replace(STATE, entries={}), {}, "").difference(Desired(files=files))
    assert [change.before_packages for change in activation.activation.files] == [True, True]
    report = activate(Desired(files=files, packages=("no-such-package",)), root)
    failure = report["failure"]
    assert isinstance(failure, dict)
    assert failure["step"] == "packages no-such-package"
    assert "Candidate: 1.2" in offered(root)


def test_a_repository_that_somebody_else_signed_is_refused(
    vendor: Vendor, root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = Vendor(tmp_path_factory.mktemp("other"))
    failure = activate(wanted(vendor, root, other.url), root)["failure"]
    assert isinstance(failure, dict)
    assert failure["step"].startswith("apply apt-get update")
    assert any("NO_PUBKEY" in line or "not signed" in line for line in failure["lines"])
    assert "Candidate" not in offered(root)


def test_a_repository_that_does_not_answer_is_told(vendor: Vendor, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    url = f"http://127.0.0.1:{free_port()}"
    failure = activate(wanted(vendor, root, url), root)["failure"]
    assert isinstance(failure, dict)
    assert any(url in line for line in failure["lines"])


def test_the_host_refuses_a_keyring_that_was_swapped_on_its_way(vendor: Vendor, root: Path) -> None:
    keyring, listed = wanted(vendor, root).files
    report = activate(Desired(files=(Rendered(keyring.file, b"another"), listed)), root)
    failure = report["failure"]
    assert isinstance(failure, dict)
    assert failure["step"] == f"file {keyring.file.path}"
    assert not os.path.lexists(keyring.file.path)
    assert not os.path.lexists(listed.file.path)


def test_another_keyring_than_the_pinned_one_is_refused_here(vendor: Vendor, tmp_path: Path) -> None:
    other = tmp_path / "other.gpg"
    other.write_bytes(b"another")
    with pytest.raises(StackFileError, match="is not the keyring that vouches for vendor") as caught:
        repository_files(repository(vendor), stack(vendor.url, other))
    assert caught.value.where == "sources.vendor.keyring"
    with pytest.raises(StackFileError, match="cannot be read"):
        repository_files(repository(vendor), stack(vendor.url, tmp_path / "nowhere"))


def test_a_stack_that_does_not_say_where_it_is_is_told_what_to_write(vendor: Vendor) -> None:
    with pytest.raises(StackFileError, match="nothing says where the packages of vendor come from") as caught:
        repository_files(repository(vendor), load_stack("lab-edge"))
    assert caught.value.where == "sources.vendor"
