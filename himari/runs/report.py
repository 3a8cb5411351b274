"""What `up` and `destroy` have to tell at their end, as values."""

from collections.abc import Sequence

import msgspec

from himari.proof.evidence import Evidence, Ledger, Phase
from himari.proof.ledger import TAKEN
from himari.runs.steps import Done


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the table that ends a run."""

    phase: str
    hosts: int
    changed: int
    passed: int
    failed: int
    not_covered: int
    seconds: float
    says: str = ""


class UpReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a finished `up` did and found; `changed` names all that it changed, as "HOST: WHAT".

    `strays`: what is there although the file does not ask for it any more. `input` is what the proof was made on, and
    `account` the ledger's sentence."""

    stack: str
    green: bool
    changed: tuple[str, ...]
    seconds: float
    rows: tuple[Row, ...]
    input: str
    account: str
    ledger: Ledger | None
    evidence: str
    page: str
    journal: str
    failed: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()  # that are in force in its lab
    strays: tuple[str, ...] = ()


class DestroyReport(msgspec.Struct, frozen=True, kw_only=True):
    """What `destroy` removed, what is left against its will, and what stays on purpose on machines that go on."""

    stack: str
    removed: tuple[str, ...]
    left: tuple[str, ...]
    seconds: float
    stays: tuple[str, ...] = ()


def rows(done: Sequence[Done], evidence: Evidence, hosts: int) -> tuple[Row, ...]:
    """A row per step, with the checks of the phase of the same name; phases that no step put on come last."""
    tallies = {phase.name: phase for phase in evidence.phases}
    made = [_row(item, tallies.pop(item.step, None), hosts) for item in done]
    for name, tally in tallies.items():
        made.append(
            Row(
                phase=f"validate {name}",
                hosts=len({check.host for check in evidence.checks if check.phase == name}),
                changed=0,
                passed=tally.passed,
                failed=tally.failed,
                not_covered=tally.not_covered,
                seconds=0.0,
            )
        )
    return tuple(made)


def _row(done: Done, tally: Phase | None, hosts: int) -> Row:
    return Row(
        phase=done.step,
        hosts=hosts,
        changed=len(done.outcome.changed),
        passed=tally.passed if tally else 0,
        failed=tally.failed if tally else 0,
        not_covered=tally.not_covered if tally else 0,
        seconds=round(done.seconds, 1),
        says=done.outcome.says,
    )


def failed_checks(evidence: Evidence) -> tuple[str, ...]:
    """A sentence for each check that failed, causes first."""
    return tuple(
        f"{'FAILED' if check.stops else 'WARNING'} {check.id} on {check.host}: {check.says}"
        + (f"; observed: {check.observed}" if check.observed else "")
        + (f" ({check.reason})" if check.reason else "")
        for check in evidence.failures
    )


def ledger_sentence(evidence: Evidence) -> str:
    """The sentence that counts, or why there is none."""
    ledger = evidence.ledger
    if ledger is None:
        reasons = [check.reason for check in evidence.checks if check.id == TAKEN]
        return f"The ledger was not compared: {'; '.join(reasons) or 'no account was taken'}"
    return (
        f"Of {ledger.sent:,} events sent, {ledger.stored:,} are stored once, {ledger.events_in_gaps:,} lie in "
        f"{ledger.gaps:,} disclosed gaps; lost {ledger.lost:,}, invented {ledger.invented:,}, "
        f"duplicates {ledger.duplicates:,}."
    )
