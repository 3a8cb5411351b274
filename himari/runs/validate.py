"""The proof of a running stack, and what it leaves behind."""

from collections.abc import Sequence

from himari.catalog.component import Feed
from himari.proof.evidence import Evidence
from himari.runs.feed import read_feed
from himari.runs.progress import Listener, Report
from himari.runs.session import session
from himari.runs.steps import Outcome, Step
from himari.stack.known import read_known
from himari.stack.model import Stack
from himari.stack.paths import StateDir


def validate(stack: Stack, argv: Sequence[str], listener: Listener) -> Evidence:
    """Prove `stack` again, with the feed of its last `up`. Raises LockedError, or StepError."""
    state = StateDir.of(stack.name)
    found: list[Evidence] = []

    def work(report: Report) -> Outcome:
        found.append(prove(stack, state, read_feed(state), report))
        return Outcome(says="green" if found[0].green else "RED")

    with session(state, argv, "", listener) as opened:
        opened.run([Step(name="validate", work=work)])
    return found[0]


def prove(stack: Stack, state: StateDir, feed: Feed, report: Report) -> Evidence:
    """Run the checks and the ledger proof; writes the evidence."""
    from himari.proof.validate import validate as run

    raise NotImplementedError(run, read_known)
