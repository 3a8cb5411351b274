"""One of the lines that carry the same streams: it connects, and has a successor before it leaves."""

import asyncio
import logging
import time
from collections.abc import Callable

from himari_runtime.backoff import Backoff
from himari_runtime.feeds import counters
from himari_runtime.feeds.budget import ConnectionBudget
from himari_runtime.feeds.passing import Passing
from himari_runtime.feeds.session import RefusedError, Session, Take, Target
from himari_runtime.feeds.stagger import Stagger

STABLE_SECONDS = 60.0
BACKOFF_FIRST = 0.25
PASS_SECONDS = 10.0  # what a successor may take to pass a line whose symbols are quiet
PASS_TURN_SECONDS = 0.05

REFUSED = "refused"
AGED = "aged"
BEHIND = "behind"

log = logging.getLogger(__name__)


class Line:
    """`down` is told when nothing carries the line any more. `stagger` says when a session grows old: never when its
    twin does. `retry_seconds`: the most that it waits where it is refused."""

    def __init__(
        self,
        number: int,
        target: Target,
        budget: ConnectionBudget,
        take: Take,
        *,
        stagger: Stagger,
        retry_seconds: float,
        down: Callable[[], None],
    ) -> None:
        self.number = number
        self.reconnects = 0
        self.session: Session | None = None  # the one that carries the line; its successor takes over from it
        self._target = target
        self._budget = budget
        self._take = take
        self._stagger = stagger
        self._due = 0.0
        self._down = down
        self._backoff = Backoff(BACKOFF_FIRST, retry_seconds)
        self._failures = 0

    async def run(self) -> None:
        """Holds the line until cancelled; passes on what `take` raises."""
        while True:
            session = await self._fresh()
            self._carry(session)
            try:
                while (following := await self._follow(session)) is not None:
                    session = following
            finally:
                self._drop()

    def _carry(self, session: Session) -> None:
        self.session = session
        self._due = self._stagger.due(self.number, session.opened)
        counters.LINE_UP.labels(self.number).set(1)

    def _drop(self) -> None:
        self.session = None
        counters.LINE_UP.labels(self.number).set(0)
        self._down()

    async def _fresh(self) -> Session:
        """A session where there is none: at once the first time, then with full jitter."""
        while (session := await self._attempt()) is None:
            pass
        return session

    async def _attempt(self) -> Session | None:
        await asyncio.sleep(self._pause())
        await self._budget.take()
        try:
            return await Session.open(self.number, self._target, self._take)
        except RefusedError as error:
            log.warning("line %s: %s", self.number, error)
            self._count(REFUSED)
            return None

    def _pause(self) -> float:
        at_once = self._failures <= 1
        return 0.0 if at_once else self._backoff.next()

    async def _follow(self, session: Session) -> Session | None:
        """The session that took over from this one, which is closed then; None where it ended before."""
        following = None
        try:
            await self._until_leaving(session)
            following = await self._succeed(session)
            await session.close()
            self._ended(session)
        except BaseException:
            for each in (session, following):
                if each is not None:
                    await each.close()
            raise
        return following

    async def _until_leaving(self, session: Session) -> None:
        leaving = asyncio.create_task(session.leaving.wait())
        left = self._due - time.monotonic()
        try:
            await asyncio.wait([session.reading, leaving], timeout=max(0.0, left), return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.cancel()
        if session.is_open:
            session.leave(AGED)

    async def _succeed(self, session: Session) -> Session | None:
        """Opens successors while `session` goes on, until one has taken over from it."""
        while session.is_open:
            following = await self._attempt_beside(session)
            if following is not None and await self._takes_over(session, following):
                return following
        return None

    async def _attempt_beside(self, session: Session) -> Session | None:
        """None also where `session` ended meanwhile: its line then begins afresh."""
        attempt = asyncio.create_task(self._attempt())
        try:
            await asyncio.wait([attempt, session.reading], return_when=asyncio.FIRST_COMPLETED)
        except BaseException:
            await _discard(attempt)
            raise
        if attempt.done():
            return attempt.result()
        await _discard(attempt)
        return None

    async def _takes_over(self, session: Session, following: Session) -> bool:
        """False where `following` ended or brings nothing: `session` carries the line on."""
        self.session = following  # it is watched already
        try:
            joined = await self._pass(session, following)
        except BaseException:
            await following.close()
            raise
        if following.is_open:
            if not joined:  # what lies between the two may be missing
                self._drop()
            self._carry(following)
            return True
        self.session = session
        await following.close()
        self._ended(following)
        return False

    async def _pass(self, session: Session, following: Session) -> bool:
        """Whether all books go on from `session` to `following`, as far as can be seen, once that is clear.

        A successor that brings nothing of what moves is abandoned.
        """
        passing, deadline = Passing(session, following), time.monotonic() + PASS_SECONDS
        while not passing.is_done:
            late = time.monotonic() >= deadline
            if session.is_open and (following.leaving.is_set() or (late and passing.is_idle)):
                following.abandon(BEHIND)
            if late or passing.is_vain or not (session.is_open and following.is_open):
                return False
            await asyncio.sleep(PASS_TURN_SECONDS)
        return True

    def _ended(self, session: Session) -> None:
        """Counts; raises what `take` raised."""
        if not session.reading.cancelled() and (error := session.reading.exception()) is not None:
            raise error
        if session.why == AGED or time.monotonic() - session.opened >= STABLE_SECONDS:
            self._failures = 0
            self._backoff.reset()
        self._count(session.why)
        log.warning("line %s: %s after %.1f s", self.number, session.why, time.monotonic() - session.opened)

    def _count(self, why: str) -> None:
        self._failures += 1
        self.reconnects += 1
        counters.RECONNECTS.labels(why).inc()


async def _discard(attempt: asyncio.Task[Session | None]) -> None:
    """Ends an attempt, and what it may have opened by then."""
    attempt.cancel()
    await asyncio.wait([attempt])
    opened = None if attempt.cancelled() or attempt.exception() else attempt.result()
    if opened is not None:
        await opened.close()
