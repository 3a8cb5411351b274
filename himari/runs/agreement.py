"""When two consumers hold the same: their counts over one window of time, by channel and symbol."""

import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from himari.proof.accounts import Digest, Key
from himari.proof.probe import Runner
from himari.proof.window import CLOCK, SECOND, digest
from himari.runs.progress import Report
from himari.stack.errors import DeployError, ProofFailed
from himari.stack.model import Cutover, Stack

POLL_S = 1.0
PATIENCE_WINDOWS = 2  # an old consumer that stores late is given as long again, before another window is taken

Place = tuple[str, str]  # channel, the venue's symbol


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """How many events of a channel of a symbol each consumer holds."""

    channel: str
    symbol: str
    old: int
    ours: int

    def agrees(self, tolerance: float) -> bool:
        """Whether the two differ by no more than that share of the greater."""
        return abs(self.old - self.ours) <= tolerance * max(self.old, self.ours)

    def __str__(self) -> str:
        return f"{self.channel} {self.symbol}: {self.old:,} old, {self.ours:,} ours"


def agreed(counts: Iterable[Count], tolerance: float) -> bool:
    """Whether all agree; where nothing was counted at all there is nothing to agree on."""
    listed = list(counts)
    return any(one.ours for one in listed) and all(one.agrees(tolerance) for one in listed)


def held(stored: Digest, from_ns: int, to_ns: int) -> Mapping[Place, int]:
    """The distinct events that a store holds of those received from `from_ns` to before `to_ns`, by place."""
    keys = {event.key for event in stored.events if from_ns <= event.received_ns < to_ns}
    found: dict[Place, int] = {}
    for key in map(Key.parse, keys):
        found[key.channel, key.symbol] = found.get((key.channel, key.symbol), 0) + 1
    return found


class Counting:
    """Counts on the brain `brain`, through `run`."""

    def __init__(self, stack: Stack, run: Runner, brain: str) -> None:
        self._run, self._brain = run, brain
        self._how: Cutover = stack.cutover
        symbols = (symbol for venue in stack.venues.values() for symbol in venue.symbols)
        self._places = [(channel, symbol) for symbol in symbols for channel in self._how.channels]

    def now(self) -> int:
        """The brain's clock, in ns since 1970."""
        return int(self._run(self._brain, CLOCK))

    def old(self, from_ns: int, to_ns: int) -> dict[Place, int]:
        """What the old consumer's command prints for each place. Raises DeployError when that is no number.

        The symbol is the stack's own, BASE/QUOTE."""
        return {place: self._ask(*place, from_ns, to_ns) for place in self._places}

    def ours_stored(self, to_ns: int) -> bool:
        """Whether our store has passed `to_ns`."""
        late = digest(self._run, self._brain, "parquet", to_ns, self.now() + SECOND)
        return late.last_ns is not None and late.last_ns >= to_ns

    def both(self, from_ns: int, to_ns: int) -> list[Count]:
        """Both counts of every place."""
        ours = held(digest(self._run, self._brain, "parquet", from_ns, to_ns), from_ns, to_ns)
        return [
            Count(channel=channel, symbol=symbol, old=old, ours=ours.get((channel, symbol.replace("/", "")), 0))
            for (channel, symbol), old in self.old(from_ns, to_ns).items()
        ]

    def _ask(self, channel: str, symbol: str, from_ns: int, to_ns: int) -> int:
        told = (f"CHANNEL={channel}", f"SYMBOL={symbol}", f"FROM_NS={from_ns}", f"TO_NS={to_ns}")
        said = self._run(self._brain, ("env", *told, "sh", "-c", self._how.count)).decode(errors="replace").strip()
        if not said.isdigit():
            raise DeployError(
                f"the old consumer's count of {channel} {symbol} is no number: {said[:100]!r}",
                f"{self._brain}: [cutover] count",
                "one number",
                f"run it there with {' '.join(told)}",
            )
        return int(said)


def await_agreement(counting: Counting, how: Cutover, name: str, brain: str, report: Report) -> list[Count]:
    """Wait until both consumers hold the same of one whole window; what they hold then.

    One window after the other is taken until then. Raises ProofFailed at the deadline, with the last counts."""
    deadline = time.monotonic() + how.deadline_seconds
    until = datetime.now(UTC) + timedelta(seconds=how.deadline_seconds)
    report(brain, f"counts must agree over {how.window_seconds} s; awaited until {until:%H:%M:%S} UTC")
    last = "our store has not passed the first window's end"
    start = counting.now()
    while True:
        end = start + how.window_seconds * SECOND
        if counting.ours_stored(end):
            counts = counting.both(start, end)
            if agreed(counts, how.tolerance):
                return counts
            last = "; ".join(str(one) for one in counts if not one.agrees(how.tolerance)) or "neither has any event"
            if counting.now() > start + PATIENCE_WINDOWS * how.window_seconds * SECOND:
                start = counting.now()
        report(brain, f"{last}; {max(0.0, deadline - time.monotonic()):.0f} s left")
        if time.monotonic() > deadline:
            raise ProofFailed(
                f"the counts did not agree within {how.deadline_seconds} s: {last}",
                brain,
                "equal counts over one window",
                f"both consumers run on: himari cutover {name} tries again, himari rollback {name} stops ours",
            )
        time.sleep(POLL_S)
