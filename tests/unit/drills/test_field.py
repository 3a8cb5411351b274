"""What the collector says of itself, read as figures."""

import pytest

from himari.drills.field import Told


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (
            "2 of 2 lines, 69599 records, 1908 to push (buffer is full, waiting), 36 gaps, 4 reconnects",
            Told(lines=2, wanted=2, records=69599, waiting=1908, gaps=36, reconnects=4),
        ),
        ("no line, 12 records, 0 to push, 1 gaps, 9 reconnects", Told(records=12, gaps=1, reconnects=9)),
        ("", Told()),
    ],
)
def test_a_status_is_read(status: str, told: Told) -> None:
    assert Told.read(status) == told


def test_all_lines_are_up_or_not() -> None:
    assert Told.read("2 of 2 lines").carries
    assert not Told.read("1 of 2 lines").carries
    assert not Told.read("").carries
