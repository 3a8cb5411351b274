"""What a plan says is fetched: by whom, how large, and how much of it is here already."""

from pathlib import Path

import pytest

from himari.apply import trees, wheelhouse
from himari.catalog.component import Artifact, Component, Origin, Package, Repository, Tree
from himari.runs.plan import Fetched, fetched
from himari.stack.maven_lock import Coordinate, Locked, lock_text

FILES = tuple(Locked(Coordinate("org.b", name, "1"), f"{name}-1.jar", 1000, "0" * 64) for name in ("a", "b"))
WHEELS = Artifact(name="himari-runtime", lock="runtime.txt", venv="/opt/himari/runtime")


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[Component, ...]]:
    """Two hosts of the same kind."""
    monkeypatch.setenv("HIMARI_CACHE", str(tmp_path / "cache"))
    (tmp_path / "x.maven").write_text(lock_text(FILES))
    tree = Tree(name="x", lock=str(tmp_path / "x.maven"), link="/opt/himari/x")
    vendor = Repository(name="vendor", suite="x", components=("main",), keyring="v.gpg", keyring_sha256="0" * 64)
    from_outside = {"repositories": (vendor,), "packages": (Package(name="redis"),)}
    component = Component(name="x", artifacts=(WHEELS,), trees=(tree,), **from_outside)
    return {"core": (component,), "other": (component,)}


def told(parts: dict[str, tuple[Component, ...]], origin: Origin) -> list[Fetched]:
    return [item for item in fetched(parts) if item.origin is origin]


def test_each_host_fetches_packages_and_this_machine_the_rest_once(parts: dict[str, tuple[Component, ...]]) -> None:
    assert [item.hosts for item in told(parts, Origin.DEBIAN)] == [("core",), ("other",)]
    assert [(item.hosts, item.names) for item in told(parts, Origin.VENDOR)] == [
        (("core",), ("vendor",)),
        (("other",), ("vendor",)),
    ]
    assert [item.hosts for item in told(parts, Origin.PYPI)] == [("core", "other")]
    assert [item.hosts for item in told(parts, Origin.MAVEN)] == [("core", "other")]


def test_a_tree_is_as_large_as_its_lock_says_and_is_here_once_it_was_fetched(
    parts: dict[str, tuple[Component, ...]],
) -> None:
    (tree,) = parts["core"][0].trees
    assert [(item.bytes, item.cached) for item in told(parts, Origin.MAVEN)] == [(2000, 0)]
    trees.making(tree).folder.mkdir(parents=True)
    assert [(item.bytes, item.cached) for item in told(parts, Origin.MAVEN)] == [(2000, 2000)]


def test_where_no_lock_says_a_size_none_is_told(parts: dict[str, tuple[Component, ...]]) -> None:
    assert [(item.bytes, item.cached) for item in told(parts, Origin.PYPI)] == [(None, None)]
    assert {item.bytes for item in told(parts, Origin.DEBIAN)} == {None}
    assert wheelhouse.fetched_bytes(WHEELS) is None
