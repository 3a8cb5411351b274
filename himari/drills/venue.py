"""Faults that the simulated venue makes by order: on its lines, and in what it sends over them."""

import re
from random import Random

from himari.catalog.hostpaths import EXCHANGE, EXCHANGE_SETTINGS
from himari.drills.drill import Drill, Gaps, Quiet
from himari.drills.field import Field, Told

OPEN = re.compile(r"^line (\d+): .* open$", re.MULTILINE)
RECENT = "--from-ns $(( $(date +%s%N) - 3000000000 ))"


class Ordered(Quiet):
    """An order to the venue, for one of its lines by chance or for all. `shows` is the collector's count that grows;
    without one nothing shows it but the venue's own answer."""

    def __init__(self, chance: Random, order: str, *, one_line: bool = False, shows: str = "") -> None:
        self._chance, self._order, self._one_line, self._shows = chance, order, one_line, shows
        self._before = Told()
        self._answer = ""

    def inject(self, field: Field) -> None:
        self._before = field.collector()
        verb, *options = self._order.split()
        line = ["--line", self._one(field)] if self._one_line else []
        words = " ".join([EXCHANGE, "order", verb, *options, *line, "--settings", EXCHANGE_SETTINGS])
        self._answer = field.inside(field.exchange, words).strip()

    def seen(self, field: Field) -> str:
        if not self._shows:
            return self._answer
        grown = getattr(field.collector(), self._shows) - getattr(self._before, self._shows)
        return f"{self._answer}; the collector counts {grown} {self._shows} more" if grown > 0 else ""

    def restored(self, field: Field) -> bool:
        return field.collector().carries

    def _one(self, field: Field) -> str:
        said = field.inside(field.exchange, f"{EXCHANGE} ledger --settings {EXCHANGE_SETTINGS} {RECENT}")
        lines: list[str] = OPEN.findall(said)
        return self._chance.choice(lines)


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
        deadline="new data is stored within 5 seconds, and each event as often as it came",
        within=5,
        sees="the venue has taken the order",
        gaps=Gaps.NONE,
        takes=40,
        fault=lambda chance: Ordered(chance, "duplicate --count 200"),
        together=True,
    ),
    Drill(
        name="reorder",
        says="Every line sends 50 frames after those that follow them",
        deadline="new data is stored within 5 seconds, and nothing is missed",
        within=5,
        sees="the venue has taken the order",
        gaps=Gaps.NONE,
        takes=40,
        fault=lambda chance: Ordered(chance, "reorder --count 50"),
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
        sees=RECONNECTS,
        gaps=Gaps.TIGHT,
        takes=45,
        fault=lambda chance: Ordered(chance, "cut", shows="reconnects"),
        together=True,
    ),
)
