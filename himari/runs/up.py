"""`up`: preflight, plan, create, contact, the days, the proof. Each step looks first and does what is missing."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from himari.apply import contact, trees, wheelhouse
from himari.apply import run as apply
from himari.apply.declared import services
from himari.apply.feed import write_feed
from himari.apply.preparation import Preparation
from himari.catalog.component import Feed, View
from himari.catalog.days import days
from himari.proof.evidence import Evidence
from himari.runs.create import CREATE, create, refuse_clouds
from himari.runs.doctor import check_fetching, check_machine
from himari.runs.estimate import estimate
from himari.runs.feed import last_feed, other_input
from himari.runs.halfway import half_destroyed
from himari.runs.labs import faults_in_force
from himari.runs.operator import check_operator
from himari.runs.plan import components, plan
from himari.runs.progress import Listener, Report
from himari.runs.put import note_put
from himari.runs.recording import put_recording
from himari.runs.report import UpReport, failed_checks, ledger_sentence, rows
from himari.runs.session import session
from himari.runs.stack_secrets import check_secrets
from himari.runs.steps import Outcome, Step
from himari.runs.strays import strays
from himari.runs.validate import contents_of, outcome, prove
from himari.stack.known import read_known
from himari.stack.model import Stack
from himari.stack.paths import StateDir

_T = TypeVar("_T")


class Going:
    """An `up` on its way: what one step found and the next ones need."""

    def __init__(self, stack: Stack, feed: Feed, recording: Path | None) -> None:
        self.stack = stack
        self.state = StateDir.of(stack.name)
        self.feed = feed
        self.recording = recording
        self.half = half_destroyed(self.state)
        self.other_input = other_input(stack, last_feed(self.state), feed)
        self.fetching = Preparation()
        self.plans: apply.Plans | None = None
        self.evidence: Evidence | None = None
        self.strays: tuple[str, ...] = ()
        self.faults: tuple[str, ...] = ()

    def steps(self) -> Iterator[Step]:
        """All steps, in order."""
        yield Step(name="preflight", work=self._preflight, replay="himari doctor")
        yield Step(name=CREATE, work=self._create, needs=("preflight",))
        yield Step(name="contact", work=self._contact, needs=(CREATE,))
        if self.recording is not None:
            yield Step(name="recording", work=self._recording, needs=("contact",))
        yield Step(name="look", work=self._look, needs=("contact",))
        for day in days():
            yield self._day(day.name)
        replay = f"himari validate {self.stack.name}"
        yield Step(name="validate", work=self._validate, needs=("look",), replay=replay)

    def _preflight(self, report: Report) -> Outcome:
        refuse_clouds(self.stack)
        check_machine(self.stack)
        plan(self.stack, feed=self.feed)
        check_secrets(self.stack, self.state)
        check_operator(self.stack, self.state)
        write_feed(self.state, self.feed)
        self._fetch()
        said = ("machine, stack and sizes", self.other_input and f"input: {self.other_input}", self._estimate())
        return Outcome(says="; ".join(filter(None, said)))

    def _fetch(self) -> None:
        """Begin with what hosts will need. Raises MachineError when Maven is to fetch it and there is none."""
        parts = [part for name in self.stack.hosts for part in components(View(stack=self.stack, host_name=name))]
        check_fetching(parts)
        wheels = (wheelhouse.making(artifact) for part in parts for artifact in part.artifacts)
        self.fetching.begin((*wheels, *(trees.making(tree) for part in parts for tree in part.trees)))

    def _estimate(self) -> str:
        """How long it will take; a host that nothing is known of is still to be made, or met."""
        judged = estimate(self.stack, makes=not set(self.stack.hosts) <= set(read_known(self.state.hosts)))
        return str(judged or "")

    def _create(self, report: Report) -> Outcome:
        if self.half:
            report("", f"{self.half}; what is left of it is built upon, or cleared away")
        self.faults = faults_in_force(self.stack, self.state)
        for fault in self.faults:
            report("", f"a fault is in force: {fault}; himari lab heal ends it")
        return create(self.stack, self.state, report)

    def _contact(self, report: Report) -> Outcome:
        before = read_known(self.state.hosts)
        note_put(self.stack, before, self.state)
        known = contact.contact(self.stack, self.state, report)
        return Outcome(changed=tuple(f"{name}: first contact" for name in known if known[name] != before.get(name)))

    def _recording(self, report: Report) -> Outcome:
        return put_recording(self.stack, self.state, self.feed, _given(self.recording), report)

    def _look(self, report: Report) -> Outcome:
        known = read_known(self.state.hosts)
        self.plans = apply.plan_hosts(self.stack, known, self.state, feed=self.feed, listen=report, makes=True)
        apply.settle(self.plans)
        self.strays = strays(self.stack, known, self.state)
        for line in self.strays:
            report("", line)
        count = len(self.plans.says)
        return Outcome(says=f"{count} differences" if count else "all as the files say")

    def _day(self, day: str) -> Step:
        def work(report: Report) -> Outcome:
            return Outcome(changed=self._put(day, report))

        return Step(name=day, work=work, needs=("look",), replay=apply.native(self.stack.name, day))

    def _put(self, day: str, report: Report) -> tuple[str, ...]:
        """The day's files and units on the hosts, then what its services hold, once they run."""
        plans = _given(self.plans)
        changed = apply.apply_day(plans, day, report)
        with services.means(plans.stack, read_known(self.state.hosts), self.state, makes=True) as given:
            return (*changed, *services.apply_day(given, day, report))

    def _validate(self, report: Report) -> Outcome:
        contents = contents_of(_given(self.plans))
        self.evidence = prove(self.stack, self.state, self.feed, contents, report)
        return outcome(self.evidence)


def up(
    stack: Stack,
    feed: Feed,
    recording: Path | None,
    argv: Sequence[str],
    listener: Listener,
    *,
    before: Sequence[Step] = (),
) -> UpReport:
    """Bring `stack` up, after the steps `before`, and prove it; the report says what changed and what was found.

    Raises LockedError, or StepError from the failure of a step."""
    going = Going(stack, feed, recording)
    with session(going.state, argv, _inputs(stack, feed), listener) as opened, going.fetching:
        done = opened.run((*before, *going.steps()))
        evidence = _given(going.evidence)
        return UpReport(
            stack=stack.name,
            green=evidence.green,
            changed=tuple(what for item in done for what in item.outcome.changed),
            seconds=opened.seconds,
            rows=rows(done, evidence, len(stack.hosts)),
            failed=failed_checks(evidence),
            input=going.other_input or evidence.feed.says,
            account=ledger_sentence(evidence),
            ledger=evidence.ledger,
            evidence=str(going.state.evidence),
            page=str(going.state.evidence.with_suffix(".html")),
            journal=str(opened.journal.path),
            faults=going.faults,
            strays=going.strays,
        )


def _given(value: _T | None) -> _T:
    """What an earlier step has left; the steps' `needs` see to it that there is one."""
    if value is None:
        raise RuntimeError("a step ran before one that it needs")
    return value


def _inputs(stack: Stack, feed: Feed) -> str:
    return hashlib.sha256(msgspec.json.encode((stack, feed))).hexdigest()[:16]
