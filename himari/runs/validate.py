"""The proof of a running stack, and what it leaves behind."""

from collections.abc import Sequence

from himari.apply import run as apply
from himari.apply.feed import read_feed
from himari.catalog.component import Feed
from himari.lab import lab
from himari.proof import validate as proof
from himari.proof.evidence import Evidence
from himari.proof.page import sentence
from himari.proof.subject import Contents
from himari.runs.elapsed import steps_before
from himari.runs.halfway import refuse_half_destroyed
from himari.runs.labs import refuse_silenced
from himari.runs.progress import Listener, Report
from himari.runs.session import session
from himari.runs.steps import Outcome, Step
from himari.stack.known import read_known
from himari.stack.model import Stack
from himari.stack.paths import StateDir

WINDOW_S = 10.0
REAL_WINDOW_S = 30.0  # what a real market sends varies


def validate(stack: Stack, argv: Sequence[str], listener: Listener) -> Evidence:
    """Prove `stack` again, with the feed of its last `up`.

    Raises LockedError, StepError, or HostError for a stack that is half destroyed or a lab's host that is off."""
    state = StateDir.of(stack.name)
    refuse_half_destroyed(state)
    refuse_silenced(stack, state)
    found: list[Evidence] = []

    def work(report: Report) -> Outcome:
        feed = read_feed(state)
        plans = apply.plan_hosts(stack, read_known(state.hosts), state, feed=feed, listen=report)
        found.append(prove(stack, state, feed, contents_of(plans), report))
        return outcome(found[0])

    with session(state, argv, "", listener) as opened:
        opened.run([Step(name="validate", work=work)])
    return found[0]


def prove(stack: Stack, state: StateDir, feed: Feed, contents: Contents, report: Report) -> Evidence:
    """Run the checks and the ledger proof; writes the evidence. `contents` is what files shall hold, by host."""
    outside = lab.outside_argv(stack.name, ()) if stack.is_lab else None
    return proof.validate(
        stack,
        state,
        outside=outside,
        seconds=window_seconds(stack, feed),
        feed=feed,
        contents=contents,
        report=lambda says: report("", says),
        steps=steps_before(state.runs),
    )


def outcome(evidence: Evidence) -> Outcome:
    """How the step that proves ends."""
    return Outcome(says=sentence(evidence), red=not evidence.green)


def window_seconds(stack: Stack, feed: Feed) -> float:
    """The ledger's window: long enough for twice the events that a proof needs."""
    if feed.live or feed.recording_sha256:
        return REAL_WINDOW_S
    return max(WINDOW_S, 2 * proof.MINIMUM_EVENTS / sum(venue.frames_per_s for venue in stack.venues.values()))


def contents_of(plans: apply.Plans) -> Contents:
    """The digests of all files, as rendered for the plans."""
    return {plan.host_name: {one.file.path: one.digest for one in plan.desired.whole.files} for plan in plans.hosts}
