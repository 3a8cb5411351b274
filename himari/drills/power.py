"""Hosts without power."""

from himari.catalog.collector import UNIT as COLLECTOR
from himari.catalog.consumer import UNIT as CONSUMER
from himari.drills.drill import Drill, Gaps, Quiet
from himari.drills.field import Field, Told
from himari.lab import faults


class BrainOff(Quiet):
    """The brain loses its power; the edge notices nothing."""

    def __init__(self) -> None:
        self._before = Told()

    def inject(self, field: Field) -> None:
        self._before = field.collector()
        faults.power_off(field.lab, field.brain)

    def seen(self, field: Field) -> str:
        more = field.collector().records - self._before.records
        off = not field.powered(field.brain)
        return f"the brain is off, and the edge journals on, {more} records since" if off and more > 0 else ""

    def lift(self, field: Field) -> None:
        faults.power_on(field.lab, field.brain)

    def restored(self, field: Field) -> bool:
        return field.active(field.brain, CONSUMER)


class EdgeOff(Quiet):
    """The edge loses its power, and what was in its memory."""

    def inject(self, field: Field) -> None:
        faults.power_off(field.lab, field.edge)

    def seen(self, field: Field) -> str:
        return "" if field.powered(field.edge) else "the edge is off"

    def lift(self, field: Field) -> None:
        faults.power_on(field.lab, field.edge)

    def over(self, field: Field) -> bool:
        return field.process(field.edge, COLLECTOR) != ""

    def restored(self, field: Field) -> bool:
        return field.active(field.edge, COLLECTOR) and field.collector().carries


DRILLS = (
    Drill(
        name="brain-off",
        says="The brain has no power for 10 seconds",
        deadline="all that waited is on the brain within 60 seconds, and nothing is missed",
        within=60,
        sees="the brain is off, and the edge journals on",
        gaps=Gaps.NONE,
        takes=80,
        lasts=10,
        fault=lambda _: BrainOff(),
        together=True,
    ),
    Drill(
        name="edge-off",
        says="The edge has no power for 5 seconds",
        deadline="new data is on the brain within 90 seconds",
        within=90,
        sees="the edge is off",
        gaps=Gaps.TIGHT,
        takes=90,
        lasts=5,
        fault=lambda _: EdgeOff(),
        not_covered="what a power cut takes from the last 0.2 s: a container's files stay in the machine's memory",
    ),
)
