"""Puts the chunks of all streams back into journal order.

A stream that filled its COUNT may have more, so nothing beyond its last id is emitted yet (the horizon). A stream
that was read beyond the horizon is not asked again until the others have caught up: what is held stays bounded.
Each chunk names the record before it in its stream; where that one was never seen, the buffer was trimmed unread.
Nothing beyond what is missing has been emitted then, so whoever has it from elsewhere can still store it in order.
"""

from collections import deque
from collections.abc import Callable, Iterator

from himari_runtime.messages import START, Position, Record
from himari_runtime.transport.chunks import Chunk, Unpacked

END = Position(1 << 63, 0)
STEP = 32  # chunks that are unpacked at a time


class OvertakenError(Exception):
    """The buffer no longer has, or cannot give, all records until `until` that were not read."""

    def __init__(self, until: Position) -> None:
        super().__init__(f"the buffer was trimmed unread, or is damaged, until {until}")
        self.until = until


class Merge:
    """Emits each record after `cursor` once, in (epoch, n) order. `seen`: each stream's last record until `cursor`.

    Raises OvertakenError where records are missing beyond `conceded`. Of what is missing until there nobody has more:
    `broken` has those emitted records before which records of their stream are missing.
    """

    def __init__(
        self,
        names: tuple[str, ...],
        cursor: Position,
        seen: dict[str, Position],
        count: int,
        unpack: Callable[[Chunk], Unpacked | None],
        *,
        conceded: Position = START,
    ) -> None:
        self.cursor = cursor
        self._began = cursor
        self._conceded = conceded
        self.broken: set[Position] = set()
        self._seen = dict.fromkeys(names, START) | seen
        self._count = count
        self._unpack = unpack
        self._read = dict.fromkeys(names, cursor)
        self._packed: dict[str, deque[Chunk]] = {name: deque() for name in names}
        self._open: dict[str, deque[Record]] = {name: deque() for name in names}

    @property
    def caught_up(self) -> bool:
        """Nothing is held back: a read may block."""
        return not any(self._packed.values()) and not any(self._open.values())

    def wanted(self) -> dict[str, Position]:
        """The streams to ask and the id to ask each from."""
        return {name: at for name, at in self._read.items() if not self._packed[name] and not self._open[name]}

    def offer(self, answer: dict[str, list[Chunk]], blocked: bool = False) -> Iterator[list[Record]]:
        """Takes the answer to `wanted` (all of it, asked at once) and yields what may be emitted, in order.

        `blocked`: the read was allowed to wait. Redis then answers with the one stream that ended the waiting, so
        what it leaves out says nothing about the other streams.
        """
        asked = self.wanted()
        horizon = END
        for name, chunks in answer.items():
            self._packed[name].extend(chunks)
            if chunks:
                self._read[name] = chunks[-1].last
        for name, at in self._read.items():
            silent = blocked and bool(answer) and name not in answer
            if silent or name not in asked or len(answer.get(name, ())) >= self._count:
                horizon = min(horizon, at)
        return self._emit(horizon)

    def _emit(self, horizon: Position) -> Iterator[list[Record]]:
        ends = sorted(chunk.last for chunks in self._packed.values() for chunk in chunks if chunk.last <= horizon)
        for step in [*ends[STEP - 1 :: STEP], horizon]:
            records = self._until(step)
            if records:
                yield records

    def _until(self, horizon: Position) -> list[Record]:
        due: list[Record] = []
        for name in self._read:
            self._unpack_until(name, horizon)
            held = self._open[name]
            while held and held[0].position <= horizon:
                due.append(held.popleft())
        due.sort(key=lambda record: record.position)
        return [record for record in due if self._advance(record)]

    def _unpack_until(self, name: str, horizon: Position) -> None:
        packed, held = self._packed[name], self._open[name]
        while packed and (not held or held[-1].position <= horizon):
            held.extend(self._check(name, packed.popleft()))

    def _check(self, name: str, chunk: Chunk) -> list[Record]:
        found = self._unpack(chunk)
        if found is None:
            self._concede(chunk.last)
        fresh = [record for record in found.records if record.position > self.cursor] if found else []
        if found and fresh:
            # A pusher that leaves records to the segments names the last of them, of whatever stream.
            if found.previous > self._seen[name] and found.previous != self._began:
                self._concede(found.previous)
                self.broken.add(fresh[0].position)
            self._seen[name] = chunk.last
        return fresh

    def _concede(self, until: Position) -> None:
        if until > self._conceded:
            raise OvertakenError(until)

    def _advance(self, record: Record) -> bool:
        if record.position <= self.cursor:
            return False
        self.cursor = record.position
        return True
