"""Faults of one service: its process killed, stopped where it stands, or gone for a while."""

from himari.catalog.collector import UNIT as COLLECTOR
from himari.catalog.redis_buffer import UNIT as REDIS
from himari.drills.drill import Drill, Gaps, Quiet
from himari.drills.field import Field

GROWN = 2000  # records


class Killed(Quiet):
    """The main process of a unit gets a signal; systemd brings the unit back. `host` is a role of the field."""

    def __init__(self, host: str, unit: str, signal: str) -> None:
        self._host, self._unit, self._signal = host, unit, signal
        self._before = ""

    def inject(self, field: Field) -> None:
        host = field.host(self._host)
        self._before = field.process(host, self._unit)
        field.inside(host, f"systemctl kill --kill-whom=main --signal={self._signal} {self._unit}")

    def seen(self, field: Field) -> str:
        now = self._process(field)
        return f"systemd started {self._unit} again: process {self._before}, then {now}" if now else ""

    def over(self, field: Field) -> bool:
        return bool(self._process(field))

    def restored(self, field: Field) -> bool:
        return bool(self._process(field)) and field.active(field.host(self._host), self._unit)

    def heal(self, field: Field) -> None:
        host = field.host(self._host)
        field.inside(
            host, f"systemctl kill --signal=CONT {self._unit} 2>/dev/null || true; systemctl start {self._unit}"
        )

    def _process(self, field: Field) -> str:
        """The main process that is not the one from before."""
        now = field.process(field.host(self._host), self._unit)
        return "" if now == self._before else now


class BufferDown(Quiet):
    """Redis is stopped; the collector goes on and its backlog grows."""

    def __init__(self, unit: str) -> None:
        self._unit = unit
        self._before = 0

    def inject(self, field: Field) -> None:
        self._before = field.collector().waiting
        field.inside(field.edge, f"systemctl stop {self._unit}")

    def seen(self, field: Field) -> str:
        waiting = field.collector().waiting
        grown = waiting - self._before >= GROWN
        return f"the collector journals on, {waiting} records wait to be pushed" if grown else ""

    def lift(self, field: Field) -> None:
        field.inside(field.edge, f"systemctl reset-failed {self._unit} || true; systemctl start {self._unit}")

    def restored(self, field: Field) -> bool:
        return field.active(field.edge, self._unit)


DRILLS = (
    Drill(
        name="redis-kill",
        says="Redis is killed (kill -9)",
        deadline="new data is on the brain within 30 seconds, and nothing is missed",
        within=30,
        sees="systemd starts Redis again",
        gaps=Gaps.NONE,
        takes=45,
        fault=lambda _: Killed("edge", REDIS, "KILL"),
        together=True,
    ),
    Drill(
        name="collector-kill",
        says="The collector is killed (kill -9)",
        deadline="new data is on the brain within 10 seconds",
        within=10,
        sees="systemd starts the collector again",
        gaps=Gaps.TIGHT,
        takes=45,
        fault=lambda _: Killed("edge", COLLECTOR, "KILL"),
        together=True,
    ),
    Drill(
        name="collector-stop",
        says="The collector stands still (SIGSTOP)",
        deadline="the watchdog has it replaced, and new data is on the brain, within 60 seconds",
        within=60,
        sees="systemd starts the collector again",
        gaps=Gaps.TIGHT,
        takes=90,
        seen_within=60,
        fault=lambda _: Killed("edge", COLLECTOR, "STOP"),
    ),
    Drill(
        name="redis-down",
        says="Redis is away for 60 seconds",
        deadline="all that waited is on the brain within 30 seconds, and nothing is missed",
        within=30,
        sees="the collector journals on and its backlog grows",
        gaps=Gaps.NONE,
        takes=120,
        lasts=60,
        fault=lambda _: BufferDown(REDIS),
    ),
)
