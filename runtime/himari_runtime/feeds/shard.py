"""Symbols that share lines: each line carries all of them, so that one may fail."""

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from typing import Any

from himari_runtime.feeds.budget import ConnectionBudget
from himari_runtime.feeds.intake import Taken
from himari_runtime.feeds.line import Line
from himari_runtime.feeds.session import Session, Target
from himari_runtime.feeds.stagger import Stagger
from himari_runtime.feeds.watch import GARBLED, Lag, Watch
from himari_runtime.messages import Channel
from himari_runtime.settings import CollectedVenue
from himari_runtime.venues.dialect import Dialect

STAGGER_SECONDS = 1.0  # between the first connections of two lines

SHUTDOWN = "shutdown"


class Shard:
    """`settings.lines` lines for `symbols`, numbered from `first_line`; `take` journals frames of a line and follows
    them; `down` is told when the last of them is lost."""

    def __init__(
        self,
        settings: CollectedVenue,
        symbols: tuple[str, ...],
        dialect: Dialect,
        tls: ssl.SSLContext | None,
        budget: ConnectionBudget,
        *,
        first_line: int,
        retry_seconds: float,
        take: Callable[[list[bytes], int], list[Taken]],
        down: Callable[[], None],
    ) -> None:
        self.symbols = symbols
        self._dialect = dialect
        self._journal = take
        self._down = down
        self._lag = Lag()
        requests = dialect.subscriptions(symbols)
        target = Target(dialect.line_url(settings.websocket_url), tls, requests, dialect.limits.request_seconds)
        stagger = Stagger(settings.line_life_seconds)
        self._lines = [
            Line(
                first_line + index,
                target,
                budget,
                self._take,
                stagger=stagger,
                retry_seconds=retry_seconds,
                down=self._lost,
            )
            for index in range(settings.lines)
        ]
        self._watch = Watch(self._lines, self._lag, dialect.limits.idle_seconds)

    @property
    def reconnects(self) -> int:
        return sum(line.reconnects for line in self._lines)

    @property
    def lines(self) -> int:
        return len(self._lines)

    @property
    def lines_up(self) -> int:
        return sum(line.session is not None for line in self._lines)

    def jobs(self) -> dict[str, Coroutine[Any, Any, None]]:
        """What has to run, by name."""
        first = self._lines[0].number
        lines = {f"line {line.number}": self._begin(line, line.number - first) for line in self._lines}
        return {**lines, f"watch {first}": self._watch.run()}

    async def _begin(self, line: Line, index: int) -> None:
        await asyncio.sleep(STAGGER_SECONDS * index)
        await line.run()

    def _lost(self) -> None:
        if not self.lines_up:
            self._down()

    def _take(self, session: Session, payloads: list[bytes]) -> None:
        for taken in self._journal(payloads, session.line):
            channel = taken.route.channel
            if channel is Channel.DEPTH:
                session.advance(taken.route.symbol, taken.route.first_id, taken.route.last_id)
                self._lag.note(session, taken.route.symbol, taken.route.last_id, taken.record.monotonic_ns)
            elif channel is Channel.CONTROL:
                session.answers.put_nowait(self._dialect.answers.request_refusal(taken.record.payload))
            elif channel is Channel.UNPARSED:
                self._suspect(session, taken.record.payload)

    def _suspect(self, session: Session, payload: bytes) -> None:
        if self._dialect.is_shutdown(payload):
            session.leave(SHUTDOWN)
        elif session.note_garbled():
            session.leave(GARBLED)
