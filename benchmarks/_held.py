"""What a buffer holds of the frames that were sent."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import redis

from himari_runtime.messages import Kind, Record, streams
from himari_runtime.transport.chunks import Chunk, Packer
from himari_runtime.venues.registry import dialect

VENUE = "binance"
TURN_SECONDS = 0.005
WAIT_SECONDS = 120.0


class Held:
    """Looks into the streams of `symbols`."""

    def __init__(self, client: redis.Redis, symbols: tuple[str, ...]) -> None:
        self._client = client
        self._names = streams(VENUE, symbols)
        self._packer = Packer(dialect(VENUE).primer)

    def records(self) -> Iterator[Record]:
        """All records, stream by stream."""
        for name in self._names:
            for entry in _entries(self._client.xrange(name)):
                yield from self._unpack(entry)

    def await_last(self, name: str, payload: bytes) -> int:
        """When (ns of the monotonic clock) the newest entry of `name` was first seen to hold `payload`."""

        def arrived() -> bool:
            newest = _entries(self._client.xrevrange(name, count=1))
            return any(record.payload == payload for entry in newest for record in self._unpack(entry))

        return await_condition(arrived, f"{name} holds the last frame")

    def _unpack(self, entry: tuple[bytes, dict[bytes, bytes]]) -> list[Record]:
        entry_id, fields = entry
        pairs = [part for pair in fields.items() for part in pair]
        return self._packer.unpack(Chunk.of(entry_id, pairs)).records


def _entries(answer: Any) -> list[tuple[bytes, dict[bytes, bytes]]]:
    """redis-py declares more than it answers where nothing is decoded."""
    return list(answer)


def frames_of(records: Iterator[Record]) -> list[bytes]:
    """The payloads of the venue's frames among them."""
    return [record.payload for record in records if record.kind == Kind.FRAME]


def await_condition(
    condition: Callable[[], bool], what: str, seconds: float = WAIT_SECONDS, turn_seconds: float = TURN_SECONDS
) -> int:
    """When it became true, in ns of the monotonic clock, looked at each `turn_seconds`; raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:.0f} s: {what}")
        time.sleep(turn_seconds)
    return time.monotonic_ns()
