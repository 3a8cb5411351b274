"""An edge without a venue: journals made-up frames and pushes them, until killed. Run as a process by the tests."""

import asyncio
import json
import sys
import time
from pathlib import Path

from himari_runtime.messages import Kind
from himari_runtime.settings import CollectorSettings, credential, load
from himari_runtime.transport.buffer import Pusher
from himari_runtime.transport.journal import Journal
from himari_runtime.venues import registry

EPOCH_SERIALS = 3_000_000  # a venue's ids go on where a restart finds them


def frame(serial: int) -> bytes:
    """Trades, deltas and tickers in turn, with ids that grow by one."""
    kind, number = ("trade", "depth", "bookTicker")[serial % 3], serial // 3 + 1
    data = {
        "trade": {"e": "trade", "E": serial, "s": "BTCUSDT", "t": number, "p": "61837.63", "q": "0.02", "T": serial}
        | {"m": serial % 2 == 0, "M": True},
        "depth": {"e": "depthUpdate", "E": serial, "s": "BTCUSDT", "U": number, "u": number, "b": [], "a": []},
        "bookTicker": {"u": number, "s": "BTCUSDT", "b": "1.0", "B": "2.0", "a": "1.1", "A": "2.0"},
    }[kind]
    channel = "depth@100ms" if kind == "depth" else kind
    return json.dumps({"stream": f"btcusdt@{channel}", "data": data}, separators=(",", ":")).encode()


async def main(settings: CollectorSettings, total: int, per_turn: int) -> None:
    """Appends `total` frames, `per_turn` a millisecond, pushing meanwhile; returns when all are pushed."""
    dialect = registry.dialect(settings.venue.name)
    journal = Journal.open(settings.journal, settings.source.name, dialect.route)
    pusher = Pusher(settings.buffer, credential(settings.buffer.credential), journal, dialect)
    pushing = asyncio.create_task(pusher.run())
    first = journal.epoch * EPOCH_SERIALS
    for start in range(first, first + total, per_turn):
        for serial in range(start, min(first + total, start + per_turn)):
            at = {"received_ns": time.time_ns(), "monotonic_ns": time.monotonic_ns()}
            journal.append(Kind.FRAME, frame(serial), line=1, **at)
        await asyncio.sleep(0.001)
    caught_up = asyncio.create_task(pusher.caught_up())
    done, _ = await asyncio.wait({pushing, caught_up}, return_when=asyncio.FIRST_COMPLETED)
    await done.pop()  # raises what ended the pusher
    pushing.cancel()
    journal.close()


if __name__ == "__main__":
    asyncio.run(main(load(Path(sys.argv[1]), CollectorSettings), int(sys.argv[2]), int(sys.argv[3])))
