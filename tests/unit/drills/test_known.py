"""The list of drills: whole, in words that agree with the figures, and the same on the page."""

import re

import pytest

from himari.drills.drill import Drill
from himari.drills.known import DRILLS, suite
from himari.drills.listing import listing, markdown
from himari.drills.run import chosen
from himari.proof.accounts import GRACE_NS
from himari.stack.errors import StackFileError
from himari.stack.load import load_stack
from himari.stack.paths import PROJECT
from himari_runtime.venues.registry import dialect

IN_SECONDS = {"second": 1, "minute": 60}


def test_names_are_words_and_each_is_there_once() -> None:
    names = [drill.name for drill in DRILLS]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in names)


@pytest.mark.parametrize("drill", DRILLS, ids=[drill.name for drill in DRILLS])
def test_a_deadline_in_words_is_the_one_that_is_measured(drill: Drill) -> None:
    told = re.findall(r"within (\d+) (second|minute)s", drill.deadline)
    assert {int(count) * IN_SECONDS[unit] for count, unit in told} <= {int(drill.within)}
    assert drill.lasts == 0 or drill.lasts <= drill.takes


def test_a_refused_line_is_back_before_its_gap_outlasts_the_grace() -> None:
    lines = load_stack("lab-edge").venues["binance"].lines
    assert dialect("binance").limits.retry_seconds(lines) < GRACE_NS / 1e9


def test_the_suite_are_those_that_may_share_a_window_and_those_that_cost_nothing_are_first() -> None:
    costs = [drill.gaps for drill in suite()]
    assert costs == sorted(costs)
    assert all(drill.together for drill in suite())


def test_a_name_stands_for_one_the_suite_or_all() -> None:
    assert [drill.name for drill in chosen("line-cut")[0]] == ["line-cut"]
    assert chosen("suite") == (suite(),)
    assert [one for (one,) in chosen("all")] == list(DRILLS)


def test_a_mistyped_name_is_told_what_is_near() -> None:
    with pytest.raises(StackFileError) as told:
        chosen("line-cutt")
    assert "did you mean line-cut" in told.value.hint


def test_the_page_has_the_table_of_the_code() -> None:
    assert markdown(listing()) in (PROJECT / "docs" / "drills.md").read_text()
