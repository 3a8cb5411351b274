"""After a rollback our consumer is off on purpose: what needs it is not covered; without one the same is red."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec
import pytest

from himari.catalog import consumer, deadman
from himari.catalog.hostpaths import CUTOVER
from himari.proof.evidence import Check, Status
from himari.proof.ledger import TAKEN
from himari.proof.question import Answer, Raw
from himari.proof.remote import Remote
from himari.proof.subject import NEEDS_OUR_CONSUMER, Subject
from himari.proof.validate import account_is_missing, run_checks
from himari.stack.cutover_note import CutoverNote, Stage
from himari.stack.known import KnownHost
from himari.stack.load import load_stack
from himari.stack.paths import VALIDATION

pytestmark = pytest.mark.xdist_group("proof-plugin")

SAYS = "rolled back: old.service is in charge"


class Answering(Remote):
    """Hosts whose cutover stands at `stage`, and whose consumer starts with the host or does not (`enabled`)."""

    def says(self, stage: Stage, enabled: str) -> None:
        note = CutoverNote(stage=stage, at="2026-11-21T10:00:00+00:00", unit="old.service")
        texts: dict[str, str | None] = {"/run/systemd/container": "", CUTOVER: msgspec.json.encode(note).decode()}
        off = f"ActiveState=inactive\nSubState=dead\nResult=success\nUnitFileState={enabled}"
        units = "\n\n".join(f"Id={name}\n{off}" for name in (consumer.UNIT, deadman.TIMER))
        self.answer = msgspec.json.encode(Raw({"units": Answer(0, units)}, {}, {}, {}, {}, texts, {}, {}, {}))

    def __call__(self, host: str, argv: Sequence[str]) -> bytes:
        return self.answer


def subject(stage: Stage, enabled: str) -> Subject:
    stack = load_stack("lab-edge")
    known = {name: KnownHost(address=f"10.91.0.{place}") for place, name in enumerate(stack.hosts, 10)}
    remote = Answering(stack, known, Path("/nowhere"))
    remote.says(stage, enabled)
    return Subject(stack, known, remote, outside=("false",))


def of_our_consumer(tmp_path: Path, stage: Stage, enabled: str) -> dict[str, Check]:
    """The checks that need it to run, of the brain."""
    found = run_checks(subject(stage, enabled), tmp_path / "log", VALIDATION / "day08_runtime")
    return {
        check.id: check
        for check in found
        if check.host == "brain" and any(fnmatchcase(check.id, glob) for glob in NEEDS_OUR_CONSUMER)
    }


def test_what_needs_our_consumer_is_not_covered_after_a_rollback(tmp_path: Path) -> None:
    checks = of_our_consumer(tmp_path, Stage.BACK, "disabled")
    assert [glob for glob in NEEDS_OUR_CONSUMER if not any(fnmatchcase(one, glob) for one in checks)] == []
    assert {(check.status, check.reason) for check in checks.values()} == {(Status.NOT_COVERED, SAYS)}


@pytest.mark.parametrize(("stage", "enabled"), [(Stage.OVER, "disabled"), (Stage.BACK, "enabled")])
def test_a_consumer_that_should_run_and_does_not_is_red(tmp_path: Path, stage: Stage, enabled: str) -> None:
    checks = of_our_consumer(tmp_path, stage, enabled)
    assert checks["consumer.himari-consumer.service.active"].status is Status.FAILED
    assert Status.NOT_COVERED not in {check.status for check in checks.values()}


@pytest.mark.parametrize(
    ("stage", "status", "reason"),
    [(Stage.BACK, Status.NOT_COVERED, SAYS), (Stage.OVER, Status.FAILED, "nothing newer is stored")],
)
def test_an_account_that_cannot_be_had_is_excused_by_a_rollback_alone(
    stage: Stage, status: Status, reason: str
) -> None:
    check = account_is_missing(subject(stage, "disabled"), "nothing newer is stored")
    assert (check.id, check.status, check.reason) == (TAKEN, status, reason)
