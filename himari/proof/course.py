"""The course of one window: what was up and when, how much came, and how long each part of its way took. Pure."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from himari.proof.accounts import Digest, ExchangeLedger, Gap, Held, Key, Line, Sent, Window
from himari.proof.excerpts import Excerpt

SECOND = 1_000_000_000
STEPS_NS = tuple(int(seconds * SECOND) for seconds in (0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 3600))
POINTS = 60  # at most, in a plot
JOURNALED, STORED = "sent to journaled", "journaled to stored"

Pair = tuple[str, str]  # key, content digest
Timed = tuple[int, float]  # when (ns), how long it took (ms)


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """Something that lasted, realtime nanoseconds; `row` is where a timeline shows it."""

    row: str
    start_ns: int
    end_ns: int
    says: str = ""
    bad: bool = False
    logged: list[Excerpt] = []  # meanwhile


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """Events a second of one symbol, for each step of the window."""

    symbol: str
    events: list[float]


class Delay(msgspec.Struct, frozen=True, kw_only=True):
    """How long events took, in milliseconds, by the clocks of the hosts; `over` has (p50, p99) for each step."""

    way: str
    p50: float
    p90: float
    p99: float
    greatest: float
    over: list[tuple[float, float] | None]


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """One window, in steps of `step_ns`."""

    start_ns: int
    end_ns: int
    step_ns: int
    lines: list[Span]
    faults: list[Span]
    gaps: list[Span]
    rates: list[Rate]
    delays: list[Delay]


def course_of(
    exchange: ExchangeLedger | None, journal: Digest, stored: Digest, window: Window, gaps: Sequence[Gap]
) -> Course:
    """The course of `window`. Without an exchange of ours (None) what was journaled is the first that is known."""
    steps = _Steps(window)
    heard = _firsts((one, one.received_ns) for one in journal.events)
    sent = _firsts((one, one.sent_ns) for one in exchange.events) if exchange else heard
    sent = {pair: at for pair, at in sent.items() if at in steps}
    ways = {STORED: list(_until_stored(stored, sent))}
    if exchange:
        ways = {JOURNALED: [(at, (heard[pair] - at) / 1e6) for pair, at in sent.items() if pair in heard], **ways}
    return Course(
        start_ns=window.start_ns,
        end_ns=window.end_ns,
        step_ns=steps.step_ns,
        lines=[*_lines(exchange.lines, window)] if exchange else [],
        faults=[Span(row=one.name, start_ns=one.start_ns, end_ns=one.end_ns, bad=True) for one in window.faults],
        gaps=[_gap(gap, window) for gap in gaps],
        rates=_rates(sent, steps),
        delays=[_delay(way, timed, steps) for way, timed in ways.items() if timed],
    )


class _Steps:
    """The window's whole steps; what is beyond the last of them is left out, as it would look like a fall."""

    def __init__(self, window: Window) -> None:
        length = window.end_ns - window.start_ns
        self.step_ns = next((step for step in STEPS_NS if length <= POINTS * step), STEPS_NS[-1])
        self.start_ns, self.count = window.start_ns, max(1, length // self.step_ns)

    def __contains__(self, time_ns: int) -> bool:
        return 0 <= time_ns - self.start_ns < self.count * self.step_ns

    def of(self, time_ns: int) -> int:
        return (time_ns - self.start_ns) // self.step_ns


def _firsts(events: Iterable[tuple[Sent | Held, int]]) -> dict[Pair, int]:
    """When each streamed event was first seen: a second line brings it again."""
    found: dict[Pair, int] = {}
    for event, at in events:
        if event.how == "ws":
            pair = event.key, event.digest
            found[pair] = min(at, found.get(pair, at))
    return found


def _until_stored(stored: Digest, sent: dict[Pair, int]) -> Iterator[Timed]:
    files = sorted(stored.files, key=lambda file: file.last_ns)
    ends = [file.last_ns for file in files]
    for held in stored.events:
        place = bisect_left(ends, held.received_ns)
        at = sent.get((held.key, held.digest))
        if at is not None and held.how == "ws" and place < len(files):
            yield at, (files[place].written_ns - held.received_ns) / 1e6


def _rates(sent: dict[Pair, int], steps: _Steps) -> list[Rate]:
    counts = Counter((Key.parse(key).symbol, steps.of(at)) for (key, _), at in sent.items())
    totals: Counter[str] = Counter()
    for (symbol, _), count in counts.items():
        totals[symbol] += count
    seconds = steps.step_ns / SECOND
    return [
        Rate(symbol=symbol, events=[round(counts[symbol, step] / seconds, 1) for step in range(steps.count)])
        for symbol, _ in totals.most_common()
    ]


def _delay(way: str, timed: Sequence[Timed], steps: _Steps) -> Delay:
    by_step: dict[int, list[float]] = {}
    for at, took in timed:
        by_step.setdefault(steps.of(at), []).append(took)
    whole = sorted(took for _, took in timed)
    over = [_pair(sorted(by_step[step])) if step in by_step else None for step in range(steps.count)]
    p50, p90, p99 = (_percentile(whole, share) for share in (0.5, 0.9, 0.99))
    return Delay(way=way, p50=p50, p90=p90, p99=p99, greatest=round(whole[-1], 3), over=over)


def _pair(ordered: Sequence[float]) -> tuple[float, float]:
    return _percentile(ordered, 0.5), _percentile(ordered, 0.99)


def _percentile(ordered: Sequence[float], share: float) -> float:
    """The nearest rank."""
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3)


def _lines(lines: Sequence[Line], window: Window) -> Iterator[Span]:
    """The connections that were up in the window, cut to it."""
    for line in lines:
        start, end = max(line.opened_ns, window.start_ns), min(line.closed_ns or window.end_ns, window.end_ns)
        if start < end:
            says = "closed in the window" if line.closed_ns and line.closed_ns < window.end_ns else "up"
            yield Span(row=f"line {line.line}", start_ns=start, end_ns=end, says=says)


def _gap(gap: Gap, window: Window) -> Span:
    start, end = gap.after_ns or window.start_ns, gap.before_ns or window.end_ns
    says = f"{gap.reason}: after {gap.after_id}, before {gap.before_id}"
    return Span(row=f"gap in {gap.channel} {gap.symbol}", start_ns=start, end_ns=max(start, end), says=says, bad=True)
