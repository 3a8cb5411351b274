"""Locks of Maven artifacts, and those that are shipped."""

import hashlib
from pathlib import Path

import pytest

from himari.stack.errors import StackFileError
from himari.stack.maven_lock import (
    Coordinate,
    Locked,
    address,
    coordinate,
    lock_text,
    read_coordinates,
    read_maven_lock,
    sums,
)
from himari.stack.paths import LOCKS

NATIVE = Coordinate("io.netty", "netty-transport", "4.1.0", "jar", "linux-x86_64")
FILES = (
    Locked(Coordinate("org.b", "b_2.13", "1.0"), "b_2.13-1.0.jar", 10, "1" * 64),
    Locked(NATIVE, "netty-transport-4.1.0-linux-x86_64.jar", 20, "2" * 64),
)
SHIPPED = sorted(path.stem for path in LOCKS.glob("*.maven"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("org.b:b:1", Coordinate("org.b", "b", "1")),
        ("org.b:b:pom:1", Coordinate("org.b", "b", "1", "pom")),
        ("io.netty:netty-transport:jar:linux-x86_64:4.1.0", NATIVE),
    ],
)
def test_a_coordinate_is_read_as_maven_writes_it(text: str, said: Coordinate) -> None:
    assert coordinate(text) == said
    assert str(said) == text


@pytest.mark.parametrize("text", ["org.b:b", "org.b:b:", "a:b:c:d:e:f", "a:b:[1,2)", "a:../b:1", "<a>:b:1"])
def test_what_is_no_coordinate_of_one_version_is_refused(text: str) -> None:
    with pytest.raises(StackFileError, match="no Maven coordinate"):
        coordinate(text)


def test_a_lock_is_sorted_and_read_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "x.maven"
    path.write_text(lock_text(FILES))
    assert read_maven_lock(path) == tuple(sorted(FILES))


@pytest.mark.parametrize("name", ["../b-1.jar", ".b-1.jar", "b 1.jar", "/b-1.jar"])
def test_a_line_that_names_a_file_elsewhere_is_told_with_its_number(tmp_path: Path, name: str) -> None:
    path = tmp_path / "x.maven"
    path.write_text(f"{FILES[0]}\norg.b:b:1 {name} 1 sha256:{'1' * 64}\n")
    with pytest.raises(StackFileError) as caught:
        read_maven_lock(path)
    assert caught.value.where == f"{path}:2"
    assert "make lock" in caught.value.hint


def test_files_that_would_take_one_anothers_place_are_refused() -> None:
    twin = Locked(Coordinate("org.other", "b_2.13", "1.0"), "b_2.13-1.0.jar", 10, "3" * 64)
    with pytest.raises(StackFileError, match=r"the file name b_2\.13-1\.0\.jar"):
        lock_text((*FILES, twin))


def test_a_tree_is_addressed_by_its_sums_in_any_order() -> None:
    assert address(FILES) == hashlib.sha256(sums(FILES).encode()).hexdigest()[:32]
    assert address(FILES[::-1]) == address(FILES)
    assert address(FILES[:1]) != address(FILES)


def test_what_is_asked_for_may_have_remarks(tmp_path: Path) -> None:
    path = tmp_path / "x.maven.in"
    path.write_text("# why\norg.b:b:1  # and more\n\n")
    assert read_coordinates(path) == (Coordinate("org.b", "b", "1"),)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_lock_is_as_it_is_written_and_has_what_is_asked_for(name: str) -> None:
    path = LOCKS / f"{name}.maven"
    files = read_maven_lock(path)
    assert path.read_text() == lock_text(files)
    assert set(read_coordinates(LOCKS / f"{name}.maven.in")) <= {file.coordinate for file in files}
    assert all(file.bytes > 0 for file in files)


def test_each_tree_that_is_asked_for_is_locked() -> None:
    assert sorted(path.name.removesuffix(".maven.in") for path in LOCKS.glob("*.maven.in")) == SHIPPED
    assert SHIPPED
