"""Brings a reader that was overtaken back to its stream: what was trimmed unread, from the edge's sealed segments.

Nothing newer is stored meanwhile, so records stay in order, and the cursor is all that an interruption needs. Whole
segments are read, so that each gains more than the stream is trimmed by until it is there. What the last sealed
segment does not reach yet is waited for.
"""

import asyncio
import errno
import logging
import shutil
import time
from collections.abc import AsyncGenerator, Container, Iterator
from functools import partial
from pathlib import Path

from himari_runtime import metrics
from himari_runtime.aside import aside
from himari_runtime.messages import START, Channel, Kind, Position, Record
from himari_runtime.room import free_bytes
from himari_runtime.settings import SegmentAccess
from himari_runtime.transport.recovery import Router
from himari_runtime.transport.replay import Replay, Run
from himari_runtime.transport.sealed import Sealed, is_intact
from himari_runtime.transport.segment_client import SegmentClient
from himari_runtime.transport.segment_reader import walk
from himari_runtime.transport.segments import Segment

POLL_SECONDS = 1.0
FETCHES = 2  # of a segment that arrives damaged; the second tells the link's fault from the disk's

log = logging.getLogger(__name__)


class CatchUp:
    """One reader's. `folder` holds one segment at a time and is gone afterwards; its disk keeps `min_free_bytes`."""

    def __init__(
        self, access: SegmentAccess, folder: Path, route: Router, sequenced: Container[Channel], *, min_free_bytes: int
    ) -> None:
        self.conceded = START  # what the segments did not have until here, nobody has
        self.behind = 0  # sealed records not yet read
        self._access = access
        self._folder = folder
        self._min_free_bytes = min_free_bytes
        self._route = route
        self._sequenced = sequenced
        self._replay = Replay(START, route, sequenced)
        self._is_warm = False
        self._reached = START  # the end of the last segment that was read, whatever it held
        self._left = 0  # of those, the ones to be read before the stream goes on
        self._read = 0
        self._started = time.monotonic()

    @property
    def seconds_left(self) -> float | None:
        """At the pace so far; None before there is one."""
        spent = time.monotonic() - self._started
        return self._left * spent / self._read if self._read else None

    async def runs(self, cursor: Position, until: Position) -> AsyncGenerator[Run, None]:
        """What follows `cursor`, to the end of the segment with `until`; each run is to be stored before the next.

        Raises segment_client.UNREACHABLE, and another OSError for what this machine's own disk refuses; to be called
        again with the cursor that was reached."""
        self._started, self._read = time.monotonic(), 0
        self._reached = cursor
        if self._replay.last != cursor:
            self._replay, self._is_warm = Replay(cursor, self._route, self._sequenced), False
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            async with SegmentClient.open(self._access) as client:
                while self.conceded < until:
                    async for run in self._pass(client, until):
                        yield run
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    async def _pass(self, client: SegmentClient, until: Position) -> AsyncGenerator[Run, None]:
        """Through the segments that are sealed now."""
        listed = await client.listed()
        reached = self._reached
        needed = [sealed for sealed in listed if sealed.last > reached and sealed.first <= until]
        self.behind = sum(sealed.records_after(reached) for sealed in listed)
        self._left = sum(sealed.records_after(reached) for sealed in needed)
        before = [] if self._is_warm or not needed else warming(listed, reached)
        for sealed in [*before, *needed]:
            async for run in self._through(client, sealed):
                yield run
            self._reached = max(self._reached, sealed.last)
            self._is_warm = True
        if listed and listed[-1].last >= until:
            self.conceded = max(self._reached, until)
        else:
            await asyncio.sleep(POLL_SECONDS)

    async def _through(self, client: SegmentClient, sealed: Sealed) -> AsyncGenerator[Run, None]:
        segment = await self._fetch(client, sealed)
        if segment is None:
            return
        for records in _pieces(segment):
            for run in self._replay.take(records):
                self._count(len(run.records))
                yield run
            await asyncio.sleep(0)
        segment.path.unlink()

    async def _fetch(self, client: SegmentClient, sealed: Sealed) -> Segment | None:
        """The segment; where its disk has damaged it, that: its records have checksums of their own."""
        self._check_room(sealed.bytes)
        for attempt in range(FETCHES):
            segment = await client.fetch(sealed, self._folder)
            if segment is None or await aside(partial(is_intact, segment, sealed.sha256)):
                return segment
            log.error("%s is damaged, attempt %d of %d", segment.path.name, attempt + 1, FETCHES)
        metrics.CATCH_UP_DAMAGED.inc()
        return segment

    def _check_room(self, size: int) -> None:
        free = free_bytes(self._folder)
        if free - size < self._min_free_bytes:
            said = f"{free} bytes free, a segment has {size} and {self._min_free_bytes} are to be kept"
            raise OSError(errno.ENOSPC, said, str(self._folder))

    def _count(self, records: int) -> None:
        self._read += records
        self._left = max(0, self._left - records)
        self.behind = max(0, self.behind - records)
        metrics.CATCH_UP_RECORDS.inc(records)


def warming(listed: list[Sealed], cursor: Position) -> list[Sealed]:
    """The segment before the one with the record after `cursor`: a copy comes seconds after its first at most."""
    return [sealed for sealed in listed if sealed.last <= cursor][-1:]


def _pieces(segment: Segment) -> Iterator[list[Record]]:
    """The journaled records of a segment; its header and footer left out."""
    for frames, _ in walk(segment):
        yield [frame for frame in frames if frame.kind < Kind.HEADER]
