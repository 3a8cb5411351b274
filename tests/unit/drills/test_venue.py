"""Orders to the venue: for which lines they are, and what shows that they were carried out."""

from pathlib import Path
from random import Random

import pytest

from himari.drills.attempt import attempt
from himari.drills.known import DRILLS
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
