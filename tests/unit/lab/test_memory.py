"""A group's bound on memory, in v1's words and in v2's; the folders here are no kernel's."""

from pathlib import Path

import pytest

from himari.lab import memory


@pytest.mark.parametrize(
    ("name", "text", "bound"),
    [
        ("memory.limit_in_bytes", "9223372036854771712\n", None),
        ("memory.limit_in_bytes", "199999488\n", 199_999_488),
        ("memory.max", "max\n", None),
        ("memory.max", "199999488\n", 199_999_488),
    ],
)
def test_no_bound_is_told_from_a_bound(tmp_path: Path, name: str, text: str, bound: int | None) -> None:
    (tmp_path / name).write_text(text)
    assert memory.bound([tmp_path / "another hierarchy", tmp_path]) == bound


def test_a_group_of_a_hierarchy_without_memory_has_none(tmp_path: Path) -> None:
    assert (memory.files([tmp_path]), memory.bound([tmp_path])) == ([], None)
