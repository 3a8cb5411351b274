"""Runs on the edge: breaks a service and watches the buffer until data goes on.

`_recovered.py SETTINGS COLLECTOR killed` kills that unit (kill -9), `... away REDIS SECONDS` stops the unit REDIS for a
while; each prints JSON. SETTINGS are the collector's; standard input has the password of Redis' operator, who may ask a
stream for its last entry. Seconds are of the machine's monotonic clock."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import hiredis
import msgspec

from himari_runtime.messages import Position, meta_stream, streams
from himari_runtime.settings import CollectorSettings, RedisAccess, load
from himari_runtime.transport.chunks import Chunk, Packer
from himari_runtime.transport.redis_link import LOST, RedisLink, pack
from himari_runtime.venues.registry import primer

OPERATOR = "operator"
TURN_SECONDS = 0.005
PATIENCE_SECONDS = 120.0
LIVE_NS = 500_000_000  # a newest record that is younger came just now
ALL_LINES = re.compile(r"^(\d+) of \1 lines")


class Killed(msgspec.Struct, frozen=True):
    """Seconds from the kill until the buffer showed the first record of the next epoch, and the first of a symbol."""

    record: float
    of_symbol: float


class Away(msgspec.Struct, frozen=True):
    """Seconds: `waited` is what had not reached the buffer when it answered again, `caught_up` the real time that was
    received until all of it had; counted from that answer, `seconds` is how long this took, `silent` how long the first
    of it. `started` is how long Redis itself took to start."""

    waited: float
    caught_up: float
    seconds: float
    silent: float
    started: float


class Newest(msgspec.Struct, frozen=True):
    """The last entry of a stream."""

    at: Position
    fields: list[bytes]


class Eye:
    """Looks at the streams of a collector's symbols."""

    def __init__(self, settings: CollectorSettings, password: str) -> None:
        venue = settings.venue
        self.meta = meta_stream(venue.name)
        self._names = streams(venue.name, venue.symbols)
        self._ask = b"".join(pack("XINFO", "STREAM", name) for name in self._names)
        self._packer = Packer(primer(venue.name))
        buffer = settings.buffer
        self._access = RedisAccess(host=buffer.host, port=buffer.port, user=OPERATOR, credential="")
        self._password = password
        self._link: RedisLink | None = None

    async def newest(self) -> dict[str, Newest]:
        """By stream; none of a stream that does not exist. Raises what LOST lists."""
        try:
            link = self._link = self._link or await RedisLink.open(self._access, self._password)
            answers = await link.exchange(self._ask, len(self._names))
        except LOST:
            self.close()
            raise
        found = {name: _last_entry(answer) for name, answer in zip(self._names, answers, strict=True)}
        return {name: entry for name, entry in found.items() if entry}

    async def received_ns(self) -> int:
        """When the newest record of all streams was received (ns since 1970), 0 for none. Raises what LOST lists."""
        entry = max((await self.newest()).values(), key=lambda entry: entry.at, default=None)
        if entry is None:
            return 0
        return self._packer.unpack(Chunk(entry.at, entry.fields[1])).records[-1].received_ns

    async def answered(self) -> float:
        """When Redis answered, on the monotonic clock. Raises what LOST lists where it does not come to that."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                await self.newest()
                return time.monotonic()
            except LOST:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(TURN_SECONDS)

    def close(self) -> None:
        if self._link:
            self._link.close()
        self._link = None


def _last_entry(answer: Any) -> Newest | None:
    if isinstance(answer, hiredis.ReplyError):
        return None
    entry = dict(zip(answer[::2], answer[1::2], strict=True))[b"last-entry"]
    return Newest(Position.parse(entry[0].decode()), entry[1]) if entry else None


async def killed(eye: Eye, unit: str) -> Killed:
    """Begins on a steady flow. Raises TimeoutError where it does not come to that, or data does not go on."""
    await _steady(eye, unit)
    epoch = max(entry.at for entry in (await eye.newest()).values()).epoch
    process = int(_shown(unit, "MainPID"))
    began = time.monotonic()
    os.kill(process, signal.SIGKILL)
    record = 0.0
    while time.monotonic() < began + PATIENCE_SECONDS:
        fresh = [name for name, entry in (await eye.newest()).items() if entry.at.epoch > epoch]
        if fresh:
            record = record or time.monotonic() - began
        if any(name != eye.meta for name in fresh):
            return Killed(record, time.monotonic() - began)
        await asyncio.sleep(TURN_SECONDS)
    raise TimeoutError(f"no record of a symbol within {PATIENCE_SECONDS:.0f} s of the kill of {unit}")


async def away(eye: Eye, unit: str, collector: str, seconds: float) -> Away:
    """As `killed`, for a Redis that is stopped for `seconds`."""
    await _steady(eye, collector)
    await asyncio.to_thread(_systemctl, "stop", unit)
    stopped_ns = time.time_ns()  # what was received later cannot have been pushed
    eye.close()
    await asyncio.sleep(seconds)
    start = time.monotonic()
    await asyncio.to_thread(_systemctl, "start", unit)
    began = await eye.answered()
    waited = time.time_ns() - stopped_ns
    silent = 0.0
    while time.monotonic() < began + PATIENCE_SECONDS:
        reached_ns = await eye.received_ns()
        now = time.monotonic()
        if reached_ns > stopped_ns:
            silent = silent or now - began
        if time.time_ns() - reached_ns < LIVE_NS:
            return Away(waited / 1e9, (reached_ns - stopped_ns) / 1e9, now - began, silent, began - start)
        await asyncio.sleep(TURN_SECONDS)
    raise TimeoutError(f"not caught up within {PATIENCE_SECONDS:.0f} s of the start of {unit}")


async def _steady(eye: Eye, collector: str) -> None:
    """Returns when all lines are up and what they bring is in the buffer at once."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not ALL_LINES.match(_shown(collector, "StatusText")) or time.time_ns() - await eye.received_ns() > LIVE_NS:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{collector}: no steady flow: {_shown(collector, 'StatusText')}")
        await asyncio.sleep(0.2)


def _shown(unit: str, name: str) -> str:
    return _systemctl("show", "--value", f"--property={name}", unit).strip()


def _systemctl(*words: str) -> str:
    return subprocess.run(("systemctl", *words), check=True, stdout=subprocess.PIPE, text=True).stdout


async def main(settings: CollectorSettings, password: str, collector: str, what: str, *arguments: str) -> Killed | Away:
    """One of the two."""
    eye = Eye(settings, password)
    try:
        if what == "killed":
            return await killed(eye, collector)
        redis, seconds = arguments
        return await away(eye, redis, collector, float(seconds))
    finally:
        eye.close()


if __name__ == "__main__":
    path, *words = sys.argv[1:]
    said = asyncio.run(main(load(Path(path), CollectorSettings), sys.stdin.read().strip(), *words))
    sys.stdout.buffer.write(msgspec.json.encode(said) + b"\n")
