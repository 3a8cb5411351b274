"""`himari drill`: drills on a running stack, each with its verdict in the stack's evidence."""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from himari.apply.feed import read_feed
from himari.drills.drill import Drill
from himari.drills.field import Field
from himari.drills.judge import Verdict
from himari.drills.known import ALL, DRILLS, SUITE, suite
from himari.drills.logs import drop_unlinked, with_logs
from himari.drills.window import NOTE, drilled, left_behind
from himari.lab.faults import standing
from himari.proof.evidence import DrillRecord, DrillWindow, Evidence, Status, read_evidence
from himari.proof.provenance import checkout
from himari.proof.remote import Remote
from himari.proof.source import source_of
from himari.proof.validate import write_all
from himari.runs.halfway import refuse_half_destroyed
from himari.runs.progress import Listener, Report
from himari.runs.session import session
from himari.runs.steps import Outcome, Step
from himari.stack.errors import HimariError, StackFileError
from himari.stack.known import read_known
from himari.stack.model import Stack
from himari.stack.nearest import did_you_mean
from himari.stack.paths import StateDir


class DrillReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the drills of one command found."""

    stack: str
    green: bool
    seconds: float
    drills: tuple[DrillRecord, ...]
    windows: tuple[DrillWindow, ...]
    evidence: str


def chosen(name: str) -> tuple[tuple[Drill, ...], ...]:
    """The windows that `name` stands for: one drill, `suite` (those that share one), or `all`, each alone.

    Raises StackFileError for a name that there is not."""
    if name == SUITE:
        return (suite(),)
    if name == ALL:
        return tuple((drill,) for drill in DRILLS)
    found = tuple(drill for drill in DRILLS if drill.name == name)
    if not found:
        near = did_you_mean(name, [drill.name for drill in DRILLS])
        hint = near or "himari drill --list"
        raise StackFileError(f"there is no drill {name}", "NAME", f"a drill, {SUITE} or {ALL}", hint)
    return (found,)


def drill(
    stack: Stack, name: str, seeds: Sequence[int], *, argv: Sequence[str], listener: Listener, state: StateDir
) -> DrillReport:
    """Run what `name` stands for once for each seed.

    Raises HostError where the stack has no lab, LockedError, StackFileError, StepError."""
    windows = [(one, seed) for seed in seeds for one in chosen(name)]
    field = Field(stack, state)
    standing(stack.name, state)
    refuse_half_destroyed(state)
    verdicts: list[Verdict] = []
    with session(state, argv, "", listener) as opened:
        opened.run(
            [_first(field), *(drill_step(field, number, *window, verdicts) for number, window in enumerate(windows))]
        )
        records = [record for verdict in verdicts for record in verdict.records]
        return DrillReport(
            stack=stack.name,
            green=all(record.status is Status.PASSED for record in records),
            seconds=opened.seconds,
            drills=tuple(records),
            windows=tuple(verdict.window for verdict in verdicts if verdict.window),
            evidence=str(state.evidence),
        )


def _first(field: Field) -> Step:
    def work(report: Report) -> Outcome:
        names = left_behind(field, DRILLS)
        return Outcome(says=f"healed what {', '.join(names)} had left" if names else "")

    return Step(name="heal", work=work)


def left_steps(stack: Stack, state: StateDir) -> tuple[Step, ...]:
    """What a run begins with where a drill was killed: to heal what it left. What resists is told and stops nothing."""
    if not stack.is_lab or not (state.path / NOTE).exists():
        return ()
    field = Field(stack, state)

    def work(report: Report) -> Outcome:
        try:
            return _first(field).work(report)
        except HimariError as error:
            return Outcome(says=f"what a killed drill left is not healed: {error}")

    return (Step(name="heal", work=work),)


def drill_step(field: Field, number: int, drills: tuple[Drill, ...], seed: int, verdicts: list[Verdict]) -> Step:
    """Window `number` of a command; its verdict is added to those that the command came to before."""
    names = drills[0].name if len(drills) == 1 else SUITE

    def work(report: Report) -> Outcome:
        remote = Remote(field.stack, read_known(field.state.hosts), field.state.ssh / "config")
        done = with_logs(field, remote, drilled(field, remote, drills, seed, lambda says: report("", says)))
        verdicts.append(done)
        note(field, verdicts)
        missed = any(record.status is Status.FAILED for record in done.records)
        return Outcome(says=_sentence(done.records), red=missed)

    replay = f"himari drill {names} {field.stack.name} --seed {seed}"
    return Step(name=f"{names} {seed}" if number else names, work=work, replay=replay)


def note(field: Field, verdicts: Sequence[Verdict]) -> None:
    """Write all verdicts of one command into the stack's evidence, in place of earlier commands' on the same drills."""
    evidence = _evidence(field)
    done = [record for verdict in verdicts for record in verdict.records]
    names = {record.name for record in done}
    kept = [record for record in evidence.drills if record.name not in names]
    windows = [window for window in evidence.windows if any(map(window.holds, kept))]
    windows += [verdict.window for verdict in verdicts if verdict.window]
    write_all(field.state, msgspec.structs.replace(evidence, drills=[*kept, *done], windows=windows))
    drop_unlinked(field.state)


def _evidence(field: Field) -> Evidence:
    """The last proof's; of a stack that was never proven an empty one."""
    try:
        return read_evidence(field.state.evidence)
    except (FileNotFoundError, msgspec.DecodeError):
        commit, dirty = checkout()
        return Evidence(
            stack=field.stack.name,
            commit=commit,
            dirty=dirty,
            started=datetime.now(UTC).isoformat(timespec="seconds"),
            seconds=0.0,
            versions={},
            feed=source_of(field.stack, read_feed(field.state)),
            phases=[],
            checks=[],
        )


def _sentence(done: Sequence[DrillRecord]) -> str:
    missed = [f"{record.name}: {record.reason}" for record in done if record.status is Status.FAILED]
    if missed:
        return "; ".join(missed)
    slowest = max(done, key=lambda record: record.recovery_seconds or 0.0)
    return f"recovered in {slowest.recovery_seconds:.1f} s" + (f" at most ({slowest.name})" if len(done) > 1 else "")
