"""Looks after the lines: one that is silent, stands still, lags behind its twin or sends garbage is replaced."""

import asyncio
import time
from collections.abc import Sequence

from himari_runtime.feeds.line import Line
from himari_runtime.feeds.session import Session

TURN_SECONDS = 0.5
STALL_SECONDS = 5.0  # silent for so long while its twin brought STALL_FRAMES
STALL_FRAMES = 50
LAG_SECONDS = 1.0  # behind its twin, on average
LAG_SAMPLES = 20
LAG_WEIGHT = 0.1  # of a new sample in the average
REMEMBERED = 4096  # updates whose first arrival is known

IDLE = "idle"
STALLED = "stalled"
LAGGING = "lagging"
GARBLED = "garbled"


class Lag:
    """How far each session is behind the first to bring an update. Times in ns of the edge's clock since boot."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, int], int] = {}
        self._behind: dict[Session, tuple[float, int]] = {}

    def note(self, session: Session, symbol: str, last_id: int, monotonic_ns: int) -> None:
        """`session` brought an update of the book of `symbol`."""
        first_ns = self._first.setdefault((symbol, last_id), monotonic_ns)
        if len(self._first) > REMEMBERED:
            del self._first[next(iter(self._first))]
        behind, samples = self._behind.get(session, (0.0, 0))
        self._behind[session] = (behind + LAG_WEIGHT * ((monotonic_ns - first_ns) / 1e9 - behind), samples + 1)

    def seconds(self, session: Session) -> float:
        """The average; 0 while too little is known."""
        behind, samples = self._behind.get(session, (0.0, 0))
        return behind if samples >= LAG_SAMPLES else 0.0

    def keep(self, sessions: Sequence[Session]) -> None:
        """Forgets all other sessions."""
        self._behind = {session: self._behind[session] for session in sessions if session in self._behind}


class Watch:
    """Watches the lines that carry the same streams."""

    def __init__(self, lines: Sequence[Line], lag: Lag, idle_seconds: float) -> None:
        self._lines = lines
        self._lag = lag
        self._idle_seconds = idle_seconds
        self._quiet: dict[Session, tuple[float, int]] = {}  # when last heard, and what its twin had brought by then

    async def run(self) -> None:
        """Looks until cancelled."""
        while True:
            await asyncio.sleep(TURN_SECONDS)
            self.look(time.monotonic())

    def look(self, now: float) -> None:
        """Has a session replaced that should not go on; one that is silent altogether ends at once."""
        sessions = [line.session for line in self._lines if line.session is not None]
        self._lag.keep(sessions)
        self._quiet = {session: self._quiet[session] for session in sessions if session in self._quiet}
        for session in sessions:
            if now - session.heard > self._idle_seconds:
                session.abandon(IDLE)
            elif self._is_stalled(session, sessions, now):
                session.leave(STALLED)
            elif self._lag.seconds(session) > LAG_SECONDS:
                session.leave(LAGGING)

    def _is_stalled(self, session: Session, sessions: list[Session], now: float) -> bool:
        brought = sum(twin.frames for twin in sessions if twin is not session)
        heard, before = self._quiet.get(session, (session.heard, brought))
        if heard != session.heard:
            heard, before = session.heard, brought
        self._quiet[session] = heard, before
        return now - heard > STALL_SECONDS and brought - before >= STALL_FRAMES
