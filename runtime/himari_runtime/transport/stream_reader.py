"""Reads all streams of one edge from its buffer, in journal order, from a cursor that the reader keeps."""

import logging
from collections.abc import AsyncIterator
from typing import Any

from himari_runtime import metrics
from himari_runtime.messages import START, Position, Record
from himari_runtime.transport.chunks import Chunk, ChunkError, Packer, Unpacked
from himari_runtime.transport.merge import Merge, OvertakenError
from himari_runtime.transport.redis_link import RedisLink, last_ids

COUNT_MOST = 256  # entries of a stream in one answer
ANSWER_ENTRIES = 2048  # of all streams together: some MB, which a link home carries in seconds
BLOCK_MS = 1000

log = logging.getLogger(__name__)


class StreamReader:
    """One connection's reading; records after `cursor`, until which `seen` has each stream's last record.

    What is missing until `conceded` is told by `is_broken`; what is missing beyond it raises OvertakenError."""

    def __init__(
        self,
        link: RedisLink,
        names: tuple[str, ...],
        cursor: Position,
        seen: dict[str, Position],
        packer: Packer,
        *,
        conceded: Position,
    ) -> None:
        self._link = link
        self._seen = seen
        self._conceded = conceded
        self._packer = packer
        self._count = max(1, min(COUNT_MOST, ANSWER_ENTRIES // len(names)))
        self._merge = Merge(names, cursor, seen, self._count, self._unpack, conceded=conceded)
        self._idle = False

    async def look(self) -> None:
        """To be called before the first `read`: a stream that was emptied has no chunk that tells what it missed.

        Raises redis_link.LOST, OvertakenError."""
        found = await last_ids(self._link, list(self._merge.wanted()))
        emptied = {name: Position.parse(state.id) for name, state in found.items() if not state.length}
        missed = [last for name, last in emptied.items() if last > max(self._seen.get(name, START), self._conceded)]
        if missed:
            raise OvertakenError(max(missed))

    def is_broken(self, record: Record) -> bool:
        """Whether records of its stream are missing before this one; to be asked once for each record."""
        if record.position in self._merge.broken:
            self._merge.broken.discard(record.position)
            return True
        return False

    @property
    def caught_up(self) -> bool:
        """Nothing read is held back, so another read finds only what came since."""
        return self._merge.caught_up

    async def read(self) -> AsyncIterator[list[Record]]:
        """What one XREAD brings; where the one before brought nothing, it waits up to a second for the first record.

        A read that waits is answered with the first stream alone, so while data flows none does.
        Raises redis_link.LOST, OvertakenError.
        """
        wanted = self._merge.wanted()
        waits = ("BLOCK", BLOCK_MS) if self._idle and self._merge.caught_up else ()
        before = self._link.received
        answer = await self._link.call(
            "XREAD", "COUNT", self._count, *waits, "STREAMS", *wanted, *(str(at) for at in wanted.values())
        )
        metrics.LINK_BYTES.inc(self._link.received - before)
        self._idle = not answer
        for records in self._merge.offer(_chunks(answer or []), blocked=bool(waits)):
            metrics.READ_RECORDS.inc(len(records))
            metrics.FRAME_BYTES.inc(sum(len(record.payload) for record in records))
            yield records

    def _unpack(self, chunk: Chunk) -> Unpacked | None:
        try:
            return self._packer.unpack(chunk)
        except ChunkError as error:  # the next chunk then has a predecessor that was never seen: a gap
            metrics.DAMAGED_CHUNKS.inc()
            log.error("left out: %s", error)
            return None


def _chunks(answer: list[Any]) -> dict[str, list[Chunk]]:
    return {name.decode(): [Chunk.of(entry_id, fields) for entry_id, fields in entries] for name, entries in answer}
