"""Faults that the simulated venue makes by order: on its lines, and in what it sends over them."""

import re
import time
from collections import Counter
from collections.abc import Callable
from random import Random

from himari.catalog.hostpaths import EXCHANGE, EXCHANGE_SETTINGS
from himari.drills.drill import Drill, Gaps, Quiet
from himari.drills.effects import closed, repeated, swapped
from himari.drills.field import Field, Told
from himari.proof.accounts import ExchangeLedger
from himari.stack.errors import HostError

OPEN = re.compile(r"^line (\d+): .* open$", re.MULTILINE)
NUMBER = re.compile(r"\d+")
RECENT = "--from-ns $(( $(date +%s%N) - 3000000000 ))"


Effect = Callable[[ExchangeLedger], Counter[int]]


class Ordered(Quiet):
    """An order to the venue, for one of its lines by chance or for all. `shows` is the collector's count that grows."""

    def __init__(self, chance: Random, order: str, *, one_line: bool = False, shows: str) -> None:
        self._chance, self._order, self._one_line, self._shows = chance, order, one_line, shows
        self._before = Told()
        self._answer = ""

    def inject(self, field: Field) -> None:
        self._before = field.collector()
        line = ["--line", self._one(field)] if self._one_line else []
        self._answer = _ordered(field, [*self._order.split(), *line])

    def seen(self, field: Field) -> str:
        grown = getattr(field.collector(), self._shows) - getattr(self._before, self._shows)
        return f"{self._answer}; the collector counts {grown} {self._shows} more" if grown > 0 else ""

    def restored(self, field: Field) -> bool:
        return field.collector().carries

    def _one(self, field: Field) -> str:
        """One of the lines that are open now. Raises HostError where none is."""
        said = field.inside(field.exchange, f"{EXCHANGE} ledger --settings {EXCHANGE_SETTINGS} {RECENT}")
        lines: list[str] = OPEN.findall(said)
        if not lines:
            hint = f"himari status {field.stack.name} shows whether the collector reaches it"
            raise HostError("the venue's ledger has no line that is open", field.exchange, "a line to choose", hint)
        return self._chance.choice(lines)


class AllCut(Quiet):
    """One order cuts every line; the venue's ledger says that each went, the collector that it replaced them."""

    def __init__(self) -> None:
        self._since_ns = 0
        self._before = Told()
        self._lines: list[int] = []

    def inject(self, field: Field) -> None:
        self._since_ns, self._before = time.time_ns(), field.collector()
        self._lines = _numbers(_ordered(field, ["cut"]))

    def seen(self, field: Field) -> str:
        """As many as the venue is to have: with one that was away already, this drill would cut the other alone."""
        (venue,) = field.stack.venues.values()
        gone = closed(field.sent(self._since_ns).lines, self._lines)
        grown = field.collector().reconnects - self._before.reconnects
        told = f"the venue closed line {', '.join(map(str, gone))}; the collector counts {grown} reconnects more"
        return told if min(len(gone), grown) >= venue.lines else ""

    def restored(self, field: Field) -> bool:
        return field.collector().carries


class Disarranged(Quiet):
    """Every line is ordered to send `count` frames otherwise; `effect` finds them in the venue's ledger, by line."""

    def __init__(self, order: str, count: int, effect: Effect, says: str) -> None:
        self._order, self._count, self._effect, self._says = order, count, effect, says
        self._since_ns = 0
        self._lines: list[int] = []

    def inject(self, field: Field) -> None:
        self._since_ns = time.time_ns()
        self._lines = _numbers(_ordered(field, [self._order, "--count", str(self._count)]))

    def seen(self, field: Field) -> str:
        """All of them on each line: an order that is half done has shown nothing yet."""
        counts = self._effect(field.sent(self._since_ns))
        done = self._lines and all(counts[line] >= self._count for line in self._lines)
        told = ", ".join(f"{counts[line]} on line {line}" for line in self._lines)
        return f"the venue's ledger has frames {self._says}: {told}" if done else ""

    def restored(self, field: Field) -> bool:
        return field.collector().carries


def _ordered(field: Field, order: list[str]) -> str:
    """The venue's answer."""
    words = [EXCHANGE, "order", *order, "--settings", EXCHANGE_SETTINGS]
    return field.inside(field.exchange, " ".join(words)).strip()


def _numbers(answer: str) -> list[int]:
    """Of the lines that took an order."""
    return [int(number) for number in NUMBER.findall(answer)]


RECONNECTS = "the collector counts a line that it replaced"

DRILLS = (
    Drill(
        name="line-cut",
        says="One of the two lines to the venue is cut without a word",
        deadline="both lines are up within 5 seconds, and nothing is missed",
        within=5,
        sees=RECONNECTS,
        gaps=Gaps.NONE,
        takes=40,
        fault=lambda chance: Ordered(chance, "cut", one_line=True, shows="reconnects"),
        together=True,
    ),
    Drill(
        name="garbage",
        says="One line sends frames that are no JSON",
        deadline="the line is replaced within 5 seconds, and nothing is missed",
        within=5,
        sees=RECONNECTS,
        gaps=Gaps.NONE,
        takes=40,
        fault=lambda chance: Ordered(chance, "garbage --count 5", one_line=True, shows="reconnects"),
        together=True,
    ),
    Drill(
        name="stall",
        says="One line falls silent for 15 seconds and then sends all that waited",
        deadline="the line is replaced within 15 seconds, and nothing is missed",
        within=15,
        sees=RECONNECTS,
        gaps=Gaps.NONE,
        takes=50,
        fault=lambda chance: Ordered(chance, "stall --seconds 15", one_line=True, shows="reconnects"),
        together=True,
    ),
    Drill(
        name="duplicates",
        says="Every line sends its next 200 frames twice",
        deadline="new data is stored within 10 seconds, and each event as often as it came",
        within=10,
        sees="the venue's ledger has 200 frames twice on each line",
        gaps=Gaps.NONE,
        takes=40,
        stored=True,
        fault=lambda _: Disarranged("duplicate", 200, repeated, "sent twice"),
        together=True,
    ),
    Drill(
        name="reorder",
        says="Every line sends 50 frames after those that follow them in their streams",
        deadline="new data is stored within 10 seconds, and nothing is missed",
        within=10,
        sees="the venue's ledger has 50 frames out of their order on each line",
        gaps=Gaps.NONE,
        takes=40,
        stored=True,
        fault=lambda _: Disarranged("reorder", 50, swapped, "sent after those that follow them"),
        together=True,
    ),
    Drill(
        name="sequence-gap",
        says="No line sends the next 20 updates of the books",
        deadline="the books begin again within 10 seconds, with a gap that says what is missing",
        within=10,
        sees="the collector counts a gap that it disclosed",
        gaps=Gaps.TIGHT,
        takes=45,
        fault=lambda chance: Ordered(chance, "drop --count 20 --stream *@depth*", shows="gaps"),
        together=True,
    ),
    Drill(
        name="lines-cut",
        says="Both lines to the venue are cut at the same time",
        deadline="both lines are up within 10 seconds",
        within=10,
        sees="the venue's ledger has both lines closed, and the collector counts two that it replaced",
        gaps=Gaps.TIGHT,
        takes=45,
        fault=lambda _: AllCut(),
        together=True,
    ),
)
