"""`himari drill` before it touches a host: what there is, and what it refuses."""

import json
import subprocess
from collections.abc import Callable

import pytest

from himari.drills.known import DRILLS

Himari = Callable[..., "subprocess.CompletedProcess[str]"]


def test_the_list_says_of_each_drill_what_it_does_its_deadline_and_how_long_it_takes(himari: Himari) -> None:
    listed = json.loads(himari("drill", "--list", "--json").stdout)
    assert [one["name"] for one in listed] == [drill.name for drill in DRILLS]
    assert all(one["says"] and one["deadline"] and one["takes"] > 0 for one in listed)
    shown = himari("drill", "--list", COLUMNS="400").stdout
    assert all(drill.says in shown and drill.deadline in shown for drill in DRILLS)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("line-cutt", "lab-edge"), "did you mean line-cut"),
        (("zzz", "lab-edge"), "himari drill --list"),
        ((), "say which drill, and on which stack"),
        (("line-cut", "vps-brain"), "this stack's are no lab's"),
        (("line-cut", "lab-edge", "--repeat", "0"), "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_drilled_is_refused(himari: Himari, words: tuple[str, ...], said: str) -> None:
    done = himari("drill", *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
