"""Faults that the simulated venue makes by order: on its lines, and in what it sends over them."""

import re
from random import Random

from himari.catalog.hostpaths import EXCHANGE, EXCHANGE_SETTINGS
from himari.drills.drill import Quiet
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
