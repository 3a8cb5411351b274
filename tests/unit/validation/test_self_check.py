"""A self-check that never ran is no success, although systemd calls its result one."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import pytest

from himari.catalog.self_check import EVERY_HOURS, FIRST_LOOK_MOST_S, service, timer
from himari.proof.evidence import Check, Status
from himari.proof.question import Answer, Raw
from himari.proof.remote import Remote
from himari.proof.subject import Subject
from himari.proof.validate import run_checks
from himari.stack.known import KnownHost
from himari.stack.load import load_stack
from himari.stack.paths import VALIDATION

pytestmark = pytest.mark.xdist_group("proof-plugin")

TIMER_AT_S = 1000


class Answering(Remote):
    """Hosts whose self-checks are as said, `waited_s` after their timers were started."""

    def says(self, waited_s: float, units: Mapping[str, str]) -> None:
        blocks = "\n\n".join(f"Id={name}\n{said}" for name, said in units.items())
        texts: dict[str, str | None] = {"/run/systemd/container": "", "/proc/uptime": f"{TIMER_AT_S + waited_s} 9.9\n"}
        self.answer = msgspec.json.encode(Raw({"units": Answer(0, blocks)}, {}, {}, {}, {}, texts, {}, {}, {}))

    def __call__(self, host: str, argv: Sequence[str]) -> bytes:
        return self.answer


def ended(tmp_path: Path, waited_s: float, started_us: int, result: str = "success") -> Check:
    stack = load_stack("lab-edge")
    known = {name: KnownHost(address=f"10.91.0.{place}") for place, name in enumerate(stack.hosts, 10)}
    remote = Answering(stack, known, Path("/nowhere"))
    looks = {
        service(name): f"Result={result}\nExecMainStartTimestampMonotonic={started_us}\nActiveState=inactive"
        for name in EVERY_HOURS
    }
    timers = {timer(name): f"ActiveEnterTimestampMonotonic={TIMER_AT_S}000000" for name in EVERY_HOURS}
    remote.says(waited_s, looks | timers)
    subject = Subject(stack, known, remote, outside=("false",))
    found = run_checks(subject, tmp_path / "log", VALIDATION / "day10_cutover")
    (check,) = [check for check in found if (check.id, check.host) == ("self-check.ended", "edge")]
    return check


def test_one_that_never_ran_is_red_once_its_first_is_overdue(tmp_path: Path) -> None:
    check = ended(tmp_path, FIRST_LOOK_MOST_S + 1, 0)
    assert (check.status, check.observed) == (Status.FAILED, "daily never looked, weekly never looked")


def test_a_host_that_has_just_started_has_not_looked_yet_and_says_so(tmp_path: Path) -> None:
    check = ended(tmp_path, FIRST_LOOK_MOST_S - 1, 0)
    assert (check.status, check.observed) == (Status.PASSED, "daily not looked yet, weekly not looked yet")


@pytest.mark.parametrize(("result", "status"), [("success", Status.PASSED), ("exit-code", Status.FAILED)])
def test_one_that_ran_is_judged_by_its_end(tmp_path: Path, result: str, status: Status) -> None:
    check = ended(tmp_path, 90000.0, 1, result)
    assert (check.status, check.observed) == (status, f"daily {result}, weekly {result}")
