"""Orders to the venue: for which lines they are, and what shows that they were carried out."""

from pathlib import Path
from random import Random

import msgspec
import pytest

from himari.drills.attempt import attempt
from himari.drills.known import DRILLS
from himari.proof.accounts import ExchangeLedger, Line
from himari.stack.paths import StateDir
from tests.unit.drills.samples import Remote

NAMED = {drill.name: drill for drill in DRILLS}
OPEN = "12 events in 3.0 s, 0 orders\nline 4: 6 events, closed after 1.0 s\nline 7: 6 events, open\n"


@pytest.mark.parametrize("name", ["line-cut", "garbage", "stall"])
def test_an_order_for_one_line_where_none_is_open_is_trouble_of_that_drill(tmp_path: Path, name: str) -> None:
    field = Remote(StateDir(tmp_path), {"ledger": OPEN.replace("open", "closed after 2.0 s")})
    one = attempt(field, NAMED[name], NAMED[name].fault(Random(1)), lambda _: None)
    assert one.trouble.startswith("exchange: the venue's ledger has no line that is open")


def test_an_order_for_one_line_is_for_one_that_is_open(tmp_path: Path) -> None:
    field = Remote(StateDir(tmp_path), {"ledger": OPEN})
    NAMED["line-cut"].fault(Random(1)).inject(field)
    assert any("order cut --line 7 " in script for script in field.scripts)


@pytest.mark.parametrize(
    ("taken", "lines", "reconnects", "seen"),
    [
        ("4, 5", [Line(4, 1, 9), Line(5, 1, 9), Line(6, 10)], 2, "the venue closed line 4, 5; the collector counts 2"),
        ("4, 5", [Line(4, 1, 9), Line(5, 1), Line(6, 10)], 1, ""),
        ("4, 5", [Line(4, 1, 9), Line(5, 1), Line(6, 10)], 2, ""),
        ("4, 5", [Line(4, 1, 9), Line(5, 1, 9)], 1, ""),
        ("5", [Line(4, 1, 9), Line(5, 1, 9)], 2, ""),
    ],
    ids=["both", "one of them", "the venue kept one", "one not counted yet", "one was away already"],
)
def test_both_lines_are_seen_to_be_cut_when_the_venue_has_closed_both_and_both_were_replaced(
    tmp_path: Path, taken: str, lines: list[Line], reconnects: int, seen: str
) -> None:
    status = "2 of 2 lines, 70 records, 0 to push, 0 gaps, {} reconnects"
    field = Remote(StateDir(tmp_path), {"order": f"given to line {taken}", "StatusText": status.format(7)})
    fault = NAMED["lines-cut"].fault(Random(1))
    fault.inject(field)
    account = msgspec.json.encode(ExchangeLedger(0, 0, lines, [])).decode()
    field.answers = {"ledger": account, "StatusText": status.format(7 + reconnects)}
    assert fault.seen(field).startswith(seen)
    assert bool(fault.seen(field)) is bool(seen)
