"""Drills and accounts that tests begin from."""

from collections.abc import Mapping
from random import Random
from typing import Any

import msgspec

from himari.drills.drill import Drill, Fault, Gaps
from himari.drills.field import Field
from himari.drills.judge import Attempt
from himari.proof.accounts import Gap
from himari.proof.evidence import Check, Marks, Severity, Status
from himari.proof.ledger import LedgerResult
from himari.stack.errors import HostError
from himari.stack.load import load_stack
from himari.stack.paths import StateDir
from tests.unit.proof.samples import accounted

SECOND = 1_000_000_000
LEDGER = accounted(5000, fault_seconds=1.0)


class Remote(Field):
    """The hosts of a lab: a command is answered by the first of `answers` whose word it has; those `off` have no
    power."""

    def __init__(self, state: StateDir, answers: Mapping[str, str]) -> None:
        super().__init__(load_stack("lab-edge"), state)
        self.answers = dict(answers)
        self.scripts: list[str] = []
        self.off: set[str] = set()

    def powered(self, host: str) -> bool:
        return host not in self.off

    def inside(self, host: str, script: str) -> str:
        self.scripts.append(script)
        return next((told for word, told in self.answers.items() if word in script), "")


class Recorded:
    """A fault that notes what is asked of it; `resists` when it is to be healed."""

    def __init__(self, resists: bool = False) -> None:
        self.done: list[str] = []
        self._resists = resists

    def prepare(self, field: Field) -> None:
        self.done.append("prepare")

    def inject(self, field: Field) -> None:
        self.done.append("inject")
        raise HostError("does not break", "edge")

    def seen(self, field: Field) -> str:
        return "seen"

    def lift(self, field: Field) -> None:
        self.done.append("lift")

    def over(self, field: Field) -> bool:
        return True

    def spared(self, field: Field) -> bool:
        return False

    def restored(self, field: Field) -> bool:
        return True

    def heal(self, field: Field) -> None:
        self.done.append("heal")
        if self._resists:
            raise HostError("resists", "edge")


def drill(name: str = "one", fault: Fault | None = None, **changed: Any) -> Drill:
    made = fault or Recorded()

    def chosen(_: Random) -> Fault:
        return made

    whole = Drill(
        name=name,
        says="Something breaks",
        deadline="within 10 seconds",
        within=10,
        sees="it shows",
        gaps=Gaps.NONE,
        takes=1,
        fault=chosen,
    )
    return msgspec.structs.replace(whole, **changed)


def attempt(made: Drill, fail: float = 100, restored: float | None = 103, **changed: Any) -> Attempt:
    """An attempt whose fault came at `fail` and was over at `restored`, in seconds."""
    back = None if restored is None else int(restored * SECOND)
    marks = Marks(fail=int(fail * SECOND), detect=int(fail * SECOND), lift=int(fail * SECOND), restored=back)
    whole = Attempt(drill=made, marks=marks, over_ns=marks.lift, served_ns=back, seen="shown")
    return msgspec.structs.replace(whole, **changed)


def gap(start: float, end: float, channel: str = "depth") -> Gap:
    return Gap("binance", "BTC/USDT", channel, 1, 9, int(start * SECOND), int(end * SECOND), "reconnect")


def account(*gaps: Gap, against: str = "") -> LedgerResult:
    """The ledger of a window with `gaps`, and with one rule that does not hold where `against` says so."""
    rule = Check(
        id="ledger.lost",
        phase="ledger",
        host="stack",
        says="every event is stored",
        severity=Severity.CRITICAL,
        observed="",
        status=Status.FAILED if against else Status.PASSED,
        reason=against,
    )
    return LedgerResult(LEDGER, (rule,), gaps)
