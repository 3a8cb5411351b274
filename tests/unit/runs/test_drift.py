"""What a drift tells: each difference as a value, and a half destroyed stack before any host is asked."""

from pathlib import Path

import pytest

from himari.apply.agent.wire import Activation, State
from himari.apply.desired import Desired, HostDesired
from himari.apply.difference import Comparison, Difference
from himari.apply.run import HostPlan, Plans
from himari.runs.drift import differences, drift
from himari.runs.journal import Journal, Opened, Started
from himari.runs.plan import Difference as Told
from himari.ssh.connection import Reach
from himari.stack.errors import HostError
from himari.stack.known import KnownHost
from himari.stack.load import load_stack
from himari.stack.paths import StateDir

STACK = load_stack("lab-edge")
SEEN = State("12", "cp311", "boot", True, "", {}, {}, {}, {}, [], [], {})


def lacking(host: str, **says: tuple[str, ...]) -> HostPlan:
    found = {day: Difference(Activation(), lines) for day, lines in says.items()}
    reach = Reach(host, KnownHost(address="192.0.2.7"), Path("/dev/null"))
    return HostPlan(host, reach, SEEN, HostDesired(host, {}, Desired()), Comparison(Desired(), SEEN, {}, ""), found)


def test_each_difference_is_a_value_of_its_host_and_day() -> None:
    edge = lacking("edge", day01_host=("file /a: create", "unit b: start"), day02_redis=("credential c: encrypt",))
    plans = Plans(STACK, (edge, lacking("brain")))
    assert differences(plans) == (
        Told(host="edge", day="day01_host", what="file /a: create"),
        Told(host="edge", day="day01_host", what="unit b: start"),
        Told(host="edge", day="day02_redis", what="credential c: encrypt"),
    )


def test_hosts_that_lack_nothing_differ_in_nothing() -> None:
    assert differences(Plans(STACK, (lacking("edge"), lacking("brain")))) == ()


def test_a_half_destroyed_stack_is_told_before_a_host_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIMARI_STATE", str(tmp_path))
    state = StateDir.of("lab-edge")
    with Journal.create(state.runs, "destroy") as journal:
        at = "2026-01-02T03:04:05.678+00:00"
        journal.append(Opened(at=at, verb="destroy", command="himari destroy lab-edge", pid=1, inputs=""))
        journal.append(Started(at=at, step="lab"))
    heard: list[object] = []
    with pytest.raises(HostError, match="half destroyed"):
        drift(STACK, heard.append)
    assert heard == []
