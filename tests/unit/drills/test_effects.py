"""What the venue did, read back from its own ledger, and the faults that are seen by it."""

from pathlib import Path
from random import Random

import msgspec
import pytest

from himari.drills.drill import Fault
from himari.drills.effects import repeated, swapped, unfollowed
from himari.drills.known import DRILLS
from himari.proof.accounts import ExchangeLedger, Line, Sent
from himari.stack.errors import HostError
from himari.stack.paths import StateDir
from tests.unit.drills.samples import Remote

AGED, CLOSED = (f'himari_reconnects_total{{why="{why}"}}' for why in ("aged", "closed"))
FOLLOWED = [Line(1, 0, 20), Line(2, 0, 30), Line(3, 15, None), Line(4, 25, None)]
CUT = [Line(1, 0, 20), Line(2, 0, None), Line(3, 21, None)]


def account(*sent: tuple[int, str]) -> ExchangeLedger:
    """What was sent in this order: lines and keys."""
    events = [Sent(key, f"content of {key}", place, line, "ws") for place, (line, key) in enumerate(sent)]
    return ExchangeLedger(0, len(events), [], events)


def made(name: str) -> Fault:
    return next(drill.fault(Random(1)) for drill in DRILLS if drill.name == name)


def test_what_one_line_sent_twice_is_counted_and_what_two_lines_sent_once_is_not() -> None:
    sent = account((1, "t|A|1"), (2, "t|A|1"), (1, "t|A|1"), (2, "t|A|2"), (1, "t|A|2"))
    assert (repeated(sent)[1], repeated(sent)[2]) == (1, 0)


def test_frames_are_out_of_order_within_their_stream_alone() -> None:
    sent = account((1, "t|A|2"), (1, "t|A|1"), (1, "d|A|1|3"), (1, "t|B|1"), (2, "t|A|1"), (1, "t|A|3"))
    assert (swapped(sent)[1], swapped(sent)[2]) == (1, 0)


@pytest.mark.parametrize(
    ("name", "count", "step"),
    [("duplicates", 200, ("t|A|{0}", "t|A|{0}")), ("reorder", 50, ("t|A|{1}", "t|A|{0}"))],
)
def test_a_disarrangement_is_seen_once_all_of_it_was_sent_on_each_line(
    tmp_path: Path, name: str, count: int, step: tuple[str, str]
) -> None:
    fault = made(name)
    field = Remote(StateDir(tmp_path), {"order": "given to line 4, 5"})
    fault.inject(field)

    def shown(steps: int) -> str:
        frames = [(line, key.format(2 * n, 2 * n + 1)) for n in range(steps) for line in (4, 5) for key in step]
        field.answers = {"ledger": msgspec.json.encode(account(*frames)).decode()}
        return fault.seen(field)

    assert shown(0) == shown(count - 1) == ""
    assert f"{count} on line 4, {count} on line 5" in shown(count)


def test_a_line_is_followed_when_as_many_others_are_open_at_its_end() -> None:
    assert unfollowed(FOLLOWED, 2) == []
    assert unfollowed(CUT, 2) == [CUT[0]]


def held(tmp_path: Path, aged: int, closed: int, lines: list[Line]) -> tuple[Fault, Remote]:
    """Lines of short life, of which the collector has left so many at their age and lost so many to the venue."""
    fault = made("line-cuts")
    field = Remote(StateDir(tmp_path), {"/metrics": f"{AGED} 7\n{CLOSED} 2\n"})
    fault.inject(field)
    told = msgspec.json.encode(ExchangeLedger(0, 0, lines, [])).decode()
    field.answers = {"/metrics": f"{AGED} {7 + aged}\n{CLOSED} {2 + closed}\n", "ledger": told}
    return fault, field


@pytest.mark.parametrize(("aged", "seen"), [(7, False), (8, True)])
def test_lines_that_were_left_at_their_age_are_seen_when_they_are_as_many_as_their_lives_make(
    tmp_path: Path, aged: int, seen: bool
) -> None:
    """60 s hold five lives of 12 s on each of two lines; the first and the last may be cut short by their ends."""
    fault, field = held(tmp_path, aged, 0, FOLLOWED)
    assert bool(fault.seen(field)) is seen
    fault.lift(field)


@pytest.mark.parametrize(
    ("closed", "lines", "trouble"),
    [(1, FOLLOWED, "1 lines were cut by the venue"), (0, CUT, "line 1 ended before its successor was open")],
    ids=["cut", "nothing took its place"],
)
def test_a_line_that_went_before_its_successor_had_come_is_told(
    tmp_path: Path, closed: int, lines: list[Line], trouble: str
) -> None:
    fault, field = held(tmp_path, 8, closed, lines)
    with pytest.raises(HostError, match=trouble):
        fault.lift(field)
