"""The stack under proof: its components, its hosts read once, and what its kind of host cannot show."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

import msgspec

from himari.catalog import consumer, deadman
from himari.catalog.component import Feed, Place, Unit, View
from himari.catalog.containers import not_covered
from himari.catalog.graph import OUTSIDE, listeners
from himari.catalog.hostpaths import CUTOVER
from himari.proof.baseline import BASELINE, Baseline, read_baseline
from himari.proof.checks import Case, Statement
from himari.proof.crossings import Crossing, crossings
from himari.proof.placement import Placed, placements
from himari.proof.probe import Probe, Runner, ask
from himari.proof.question import Outcome, Question
from himari.proof.questions import question
from himari.proof.remote import Outside, Remote
from himari.ssh.visitor import Visitor
from himari.stack.cutover_note import CutoverNote, Stage
from himari.stack.errors import HostError
from himari.stack.known import Known, read_known
from himari.stack.load import load_stack
from himari.stack.model import Provider, Stack
from himari.stack.network import tunnel_addresses
from himari.stack.paths import StateDir

# Reviewed: what cannot hold, and need not, while a rollback has put the user's own consumer in charge.
NEEDS_OUR_CONSUMER = (
    f"consumer.{consumer.UNIT}.active",
    f"consumer.{consumer.UNIT}.enabled",
    "consumer.consumer-metrics.listens",
    "consumer.stores",
    "consumer.open-files",
    f"deadman.{deadman.TIMER}.active",
    f"deadman.{deadman.TIMER}.enabled",
    "deadman.timer",
    "deadman.result",
)
Contents = Mapping[str, Mapping[str, str]]  # host -> path -> sha256 of what shall be there


class Subject:
    """One stack, read at most once a host; all hosts at the same time."""

    def __init__(
        self,
        stack: Stack,
        known: Known,
        remote: Remote,
        *,
        outside: Sequence[str] | None = None,
        feed: Feed | None = None,
        contents: Contents | None = None,
        baseline: Baseline | None = None,
        visitor: Visitor | None = None,
    ) -> None:
        self.stack = stack
        self.known = known
        self.remote = remote
        self.feed = feed or Feed()
        self.contents: Contents = contents or {}
        self.baseline = baseline or Baseline()
        self._visitor = visitor
        self.placements = placements(stack, known, self.feed)
        self.crossings = crossings(stack, known, self.feed, truly_outside=outside is not None)
        self._outside = Outside(outside or ())

    @cached_property
    def answers(self) -> Mapping[str, Probe | HostError]:
        """What each host, and the place outside, said; or why it said nothing."""
        questions: dict[str, Question] = {name: self._question(name) for name in self.stack.hosts}
        away = tuple(one.attempt for one in self.crossings if one.source == OUTSIDE)
        questions[OUTSIDE] = Question(host=False, attempts=away)
        with ThreadPoolExecutor(len(questions)) as pool:
            return dict(zip(questions, pool.map(self._ask, questions, questions.values()), strict=True))

    def _question(self, host: str) -> Question:
        return question(self.stack, self.known, self.feed, host, placed=self.placements, crossings=self.crossings)

    def _ask(self, name: str, asked: Question) -> Probe | HostError:
        runner: Runner = self._outside if name == OUTSIDE else self.remote
        try:
            return ask(name, asked, runner)
        except HostError as error:
            return error

    def probe(self, host: str) -> Probe:
        """What `host` said; raises its HostError, a new one for each check that needs it."""
        answer = self.answers[host]
        if isinstance(answer, HostError):
            raise HostError(answer.what, answer.where, answer.expected, answer.hint)
        return answer

    def outcome(self, crossing: Crossing) -> Outcome:
        """What came of an attempt, as its source saw it."""
        return self.probe(crossing.source).attempt(crossing.attempt.id)

    def crossings_to(self, placed: Placed) -> list[Crossing]:
        """The attempts that prove this component on this host."""
        return [one for one in self.crossings if (one.target, one.component) == (placed.host, placed.component.name)]

    def listeners(self, host: str) -> set[tuple[str, int]]:
        """The allow-list: protocol and port of all that `host` may listen on beyond loopback."""
        view = View(stack=self.stack, host_name=host, known=self.known, feed=self.feed)
        return {(one.protocol, one.port) for one in listeners(view) if one.place is not Place.LOOPBACK}

    @property
    def visitor(self) -> Visitor:
        """The operator as a client of the services."""
        if self._visitor is None:
            raise HostError("nobody goes to the services", self.stack.name, "a proof with the stack's vault at hand")
        return self._visitor

    def units(self, host: str) -> set[str]:
        """The units of all components of `host`."""
        return {unit.name for one in self.placements if one.host == host for unit in one.component.units}

    def places(self, host: str) -> set[str]:
        """The addresses that are not public: loopback and the tunnel's."""
        return {"127.0.0.1", "::1"} | {
            address for name, address in tunnel_addresses(self.stack).items() if name == host
        }

    def not_covered(self, case: Case, check_id: str, statement: Statement) -> str:
        """Why this kind of host, or this run, cannot show what the check asks; "" when it can."""
        if statement.venue_clock and self.feed.speed != 1.0:
            return f"the recording runs at {self.feed.speed:g} times its speed, so the venue's clock is not ours"
        if check_id in NEEDS_OUR_CONSUMER and (in_charge := self.rolled_back(case.host)):
            return in_charge
        if not self._contained(case.host):
            return ""
        if isinstance(case.item, Unit) and case.item.unless_container:
            return f"{case.name} is declared as what a container cannot run"
        return not_covered(check_id) or ""

    def rolled_back(self, host: str) -> str:
        """Who is in charge on `host` since a rollback put our consumer aside; "" where ours is to run."""
        answer = self.answers[host]
        if isinstance(answer, HostError):
            return ""
        try:
            note = msgspec.json.decode(answer.text(CUTOVER) or "null", type=CutoverNote | None)
        except msgspec.DecodeError:
            return ""
        ours = answer.unit(consumer.UNIT)
        off = ours.get("ActiveState") != "active" and ours.get("UnitFileState") == "disabled"
        return note.says if note and note.stage is Stage.BACK and off else ""

    def _contained(self, host: str) -> bool:
        """Whether the host is a container, whoever made it: by its own word, or the stack file's if it says none."""
        answer = self.answers[host]
        if isinstance(answer, HostError):
            return self.stack.hosts[host].provider is Provider.LAB
        return bool(answer.text("/run/systemd/container"))


def read_subject(name: str) -> Subject:
    """The subject of a native pytest run. Raises StackFileError for a stack that there is not."""
    stack, state = load_stack(name), StateDir.of(name)
    known = read_known(state.hosts)
    feed, baseline = _feed(state), read_baseline(state.path / BASELINE)
    remote, visitor = Remote(stack, known, state.ssh / "config"), Visitor(known, state)
    return Subject(stack, known, remote, feed=feed, baseline=baseline, visitor=visitor)


def _feed(state: StateDir) -> Feed:
    """The input that the last `himari up` chose."""
    path = state.path / "feed.json"
    return msgspec.json.decode(path.read_bytes(), type=Feed) if path.exists() else Feed()
