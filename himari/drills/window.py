"""Drills under one window of the ledger. Whatever happens in it, every fault is healed at its end."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from random import Random

import msgspec

from himari.drills.attempt import Say, attempt
from himari.drills.drill import Drill, Fault
from himari.drills.field import Field
from himari.drills.judge import Attempt, Verdict, judge
from himari.proof import accounts
from himari.proof.evidence import Marks
from himari.proof.ledger import LedgerResult
from himari.proof.probe import Runner
from himari.proof.provenance import checkout
from himari.proof.settle import settle
from himari.proof.window import CLOCK, prove_data
from himari.stack.errors import HimariError

SECONDS = 15.0  # the least that a window takes
NOTE = "drill.json"  # in the stack's state: what is being drilled
AFTER_SECONDS = 3  # for what comes late

_Account = tuple[LedgerResult | None, str]  # or why there is none


class Planned(msgspec.Struct, frozen=True):
    """A drill and the fault that its seed makes of it."""

    drill: Drill
    fault: Fault


def planned(drills: Sequence[Drill], seed: int) -> tuple[Planned, ...]:
    """What `seed` makes of `drills`: the same seed breaks the same things, whichever drills are run beside it."""
    return tuple(Planned(drill, drill.fault(Random(f"{drill.name} {seed}"))) for drill in drills)  # noqa: S311 - no secret


def drilled(field: Field, run: Runner, drills: Sequence[Drill], seed: int, say: Say) -> Verdict:
    """Run `drills` one after the other, and account for every event of the time that they took.

    A host that cannot be brought back to what it was is told in the records: others that were made are whole."""
    plans, started = planned(drills, seed), datetime.now(UTC).isoformat(timespec="seconds")
    attempts: list[Attempt] = []
    account: _Account | None = None
    resists = ""
    try:
        with healed(field, plans):
            account = _accounted(field, run, plans, attempts, say)
    except HimariError as error:
        if account is None:  # healing failed at an end that something else made, such as Ctrl-C
            raise
        resists = str(error)
    result, why = account
    all_of_them = (*attempts, *_none_made(plans[len(attempts) :], why))
    verified = [_verified(one, result, resists) for one in all_of_them]
    return judge(verified, result, seed=seed, started=started, commit=checkout()[0], why=why)


def _accounted(field: Field, run: Runner, plans: Sequence[Planned], attempts: list[Attempt], say: Say) -> _Account:
    try:
        for plan in plans:
            plan.fault.prepare(field)
        settle(field.stack, run, say)
        return _account(field, run, plans, attempts, say), ""
    except HimariError as error:
        return None, str(error)


def _account(field: Field, run: Runner, plans: Sequence[Planned], attempts: list[Attempt], say: Say) -> LedgerResult:
    def faults() -> list[accounts.Fault]:
        attempts.extend(_each(field, run, plans, say))
        end_ns = int(run(field.edge, CLOCK))
        run(field.edge, ("sleep", str(AFTER_SECONDS)))
        return [one.fault(end_ns) for one in attempts]

    return prove_data(field.stack, run, SECONDS, faults=faults, say=say)


def _each(field: Field, run: Runner, plans: Sequence[Planned], say: Say) -> Iterator[Attempt]:
    """Each drill begins on a steady flow, so that none answers for the one before it."""
    for number, plan in enumerate(plans):
        if number:
            plans[number - 1].fault.heal(field)
            settle(field.stack, run, say)
        yield attempt(field, plan.drill, plan.fault, say)


@contextmanager
def healed(field: Field, plans: Sequence[Planned]) -> Iterator[None]:
    """Heal every fault at the end of the block, however it ends; one that resists does not keep others from it.

    While it lasts their names are noted, so that what a killed run has left is healed by the next one; and beyond,
    those that resist."""
    left = _noted(field)
    _note(field, [*left, *(plan.drill.name for plan in plans)])
    try:
        yield
    finally:
        heal(field, [plan.fault for plan in plans])
        _note(field, left)


def heal(field: Field, faults: Sequence[Fault]) -> None:
    """Put back all that `faults` broke. Raises the first HimariError of those that resist, after all were tried."""
    errors: list[HimariError] = []
    for fault in reversed(faults):
        try:
            fault.heal(field)
        except HimariError as error:
            errors.append(error)
    if errors:
        raise errors[0]


def left_behind(field: Field, known: Sequence[Drill]) -> list[str]:
    """Heal what a drill that was killed has left; the names of such drills."""
    names = _noted(field)
    found = [drill for drill in known if drill.name in names]
    heal(field, [plan.fault for plan in planned(found, 0)])
    _note(field, [])
    return [drill.name for drill in found]


def _noted(field: Field) -> list[str]:
    try:
        return msgspec.json.decode((field.state.path / NOTE).read_bytes(), type=list[str])
    except (FileNotFoundError, msgspec.DecodeError):
        return []


def _note(field: Field, names: Sequence[str]) -> None:
    note = field.state.path / NOTE
    if names:
        note.write_bytes(msgspec.json.encode(list(dict.fromkeys(names))))
    else:
        note.unlink(missing_ok=True)


def _verified(one: Attempt, result: LedgerResult | None, resists: str) -> Attempt:
    if resists:
        trouble = "; ".join(filter(None, (one.trouble, f"what was broken resists healing: {resists}")))
        return msgspec.structs.replace(one, trouble=trouble)
    if result is None:
        return one
    now_ns = int(datetime.now(UTC).timestamp() * 1e9)
    return msgspec.structs.replace(one, marks=msgspec.structs.replace(one.marks, verified=now_ns))


def _none_made(plans: Sequence[Planned], why: str) -> list[Attempt]:
    return [Attempt(drill=plan.drill, marks=Marks(), trouble=f"it was not begun: {why}") for plan in plans]
