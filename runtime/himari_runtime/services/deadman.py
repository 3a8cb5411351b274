"""One look at whether the brain still gets and can keep data; a timer of systemd repeats it. Nobody hears a silence."""

import asyncio
import logging
import socket
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import aiohttp
import msgspec

from himari_runtime.aside import aside
from himari_runtime.messages import Gap
from himari_runtime.room import disk_share
from himari_runtime.services.heard import Heard, consumer_says, edge_kills
from himari_runtime.settings import ConsumerSettings, credential
from himari_runtime.sinks.parquet_reader import gaps_since, newest_frame_ns
from himari_runtime.venues.registry import dialect

REPEAT_SECONDS = 600.0
# Two looks, the call and a third look end before systemd would end them, at 25 s, and nobody be called.
LOOK_SECONDS = 4.0
CALL_SECONDS = 8.0
GAPS_NS = 3 * 3600 * 10**9  # after a longer pause older gaps are no news, and all of them no look
EVENTS = {"gap", "edge-memory"}  # each is news of its own; the other alarms are states that last
LOOKBACK_SECONDS = 600.0  # beyond the limit; a silence that is longer is told as this long

log = logging.getLogger(__name__)

Result = TypeVar("Result")


class Alarm(msgspec.Struct, frozen=True):
    """What is wrong; `observed` and `limit` share a unit, which `says` names."""

    name: str
    says: str
    observed: float
    limit: float


class Call(msgspec.Struct, frozen=True):
    """What the webhook gets; no alarms: all is well again."""

    host: str
    source: str
    alarms: list[Alarm]


class Memory(msgspec.Struct):
    """What one pass leaves for the next. Times in ns since 1970."""

    alarms: list[str] = []
    called_ns: int = 0
    looked_ns: int = 0
    edge_kills: int | None = None  # for want of memory since the edge booted; None: not known yet


async def run(settings: ConsumerSettings) -> int:
    """0 when all is well, 1 while something is wrong, could not be looked at, or nobody could be told.

    What cannot be looked at is an alarm of its own, and the other looks go on. Raises SettingsError."""
    now_ns = time.time_ns()
    alarms: list[Alarm] = []
    memory, heard, kills = await asyncio.gather(
        _guarded("its own state", lambda: _remember(settings, now_ns), alarms, Memory(looked_ns=now_ns)),
        consumer_says(settings),
        edge_kills(settings),
    )
    seen = msgspec.structs.replace(memory)
    alarms = [*await look(settings, now_ns, seen, heard), *_memory(kills, seen), *alarms]
    for alarm in alarms:
        log.error("%s: %s: %s, limit %s", alarm.name, alarm.says, alarm.observed, alarm.limit)
    told = await _tell(settings, alarms, memory, now_ns)
    if told:  # until then a gap stays news, as nothing else would tell of it again
        memory.looked_ns, memory.edge_kills = seen.looked_ns, seen.edge_kills
    await _guarded("its own state", lambda: _store(settings, memory), alarms, None)
    return 0 if told and not alarms else 1


async def look(settings: ConsumerSettings, now_ns: int, seen: Memory, heard: Heard) -> list[Alarm]:
    """What is wrong at `now_ns`; `seen` says since when gaps are news, and is told that they were looked at."""
    faults: list[Alarm] = []
    found = await asyncio.gather(
        _guarded("the newest frame", lambda: _lateness(settings, now_ns, heard), faults, None),
        _guarded("the disk", lambda: _disk(settings), faults, None),
        _guarded("the gaps", lambda: _gap(settings, now_ns, seen), faults, None),
    )
    failing = Alarm("store", "the consumer cannot write what it has read", 1, 0) if heard.failing else None
    return [*(alarm for alarm in (*found, failing) if alarm), *faults]


def _memory(kills: int | None, seen: Memory) -> list[Alarm]:
    """The edge ran out of memory since the last look; what could not be asked is told at the next one."""
    before = seen.edge_kills
    seen.edge_kills = before if kills is None else kills
    if kills is None or before is None or kills <= before:  # an edge that has booted counts anew
        return []
    says = "processes that the edge's kernel killed for want of memory since the last look"
    return [Alarm("edge-memory", says, kills - before, 0)]


def _disk(settings: ConsumerSettings) -> Alarm | None:
    free, least = disk_share(settings.parquet.path), settings.deadman.disk_free
    return Alarm("disk", "share of the disk that is free", round(free, 3), least) if free < least else None


def _gap(settings: ConsumerSettings, now_ns: int, seen: Memory) -> Alarm | None:
    limit, since_ns = settings.deadman.gap_seconds, max(seen.looked_ns, now_ns - GAPS_NS)
    gaps = gaps_since(settings.parquet.path, settings.source.name, settings.venue.name, since_ns)
    seen.looked_ns = now_ns
    longest = max(map(_seconds, _open(gaps)), default=0.0)
    says = "seconds of the longest gap since the last look"
    return Alarm("gap", says, round(longest, 1), limit) if longest > limit else None


async def _guarded(what: str, call: Callable[[], Result], faults: list[Alarm], otherwise: Result) -> Result:
    """What `call` returns; `otherwise` where it fails or the disk does not answer, which is then among `faults`."""
    try:
        return await asyncio.wait_for(aside(call), LOOK_SECONDS)
    except Exception as error:
        why = f"no answer within {LOOK_SECONDS:.0f} s" if isinstance(error, TimeoutError) else str(error)
        log.debug("where it failed", exc_info=error)
        faults.append(Alarm("look", f"could not look at {what}: {why or type(error).__name__}", 1, 0))
        return otherwise


def _lateness(settings: ConsumerSettings, now_ns: int, heard: Heard) -> Alarm | None:
    """What keeps the newest frames from the store: a catch-up, which ends by itself, or else silence."""
    if not heard.catching_up:
        return _silence(settings, now_ns, heard.frame_ns)
    if not heard.seconds_left:
        return Alarm(
            "catch-up", "records that the consumer is behind; it waits for the edge's segments", heard.behind, 0
        )
    says = f"seconds until the consumer has caught up with its edge; it is {heard.behind} records behind"
    return Alarm("catch-up", says, round(heard.seconds_left, 1), 0)


def _silence(settings: ConsumerSettings, now_ns: int, heard_ns: int | None) -> Alarm | None:
    """The alarm when the venue's own frames stopped; heartbeats and polls go on without a line to the venue."""
    allowed, says = settings.deadman.silence_seconds, "seconds since the consumer's newest frame was received"
    newest_ns = heard_ns
    if heard_ns is None:
        # What a consumer that does not answer has read waits for its file, unseen.
        allowed += settings.parquet.flush_seconds
        says = "the consumer does not tell; seconds since the newest stored frame was received"
        since_ns = now_ns - int((allowed + LOOKBACK_SECONDS) * 1e9)
        newest_ns = stored_frame_ns(settings, since_ns) or since_ns
    seconds = (now_ns - (newest_ns or 0)) / 1e9
    return Alarm("silence", says, round(seconds, 1), allowed) if seconds > allowed else None


def stored_frame_ns(settings: ConsumerSettings, since_ns: int) -> int | None:
    """When the newest stored frame of the venue was received; None where that was before `since_ns`. Ns since 1970."""
    channels = dialect(settings.venue.name).sequenced
    return newest_frame_ns(settings.parquet.path, settings.source.name, settings.venue.name, channels, since_ns)


def _open(gaps: list[Gap]) -> Iterator[Gap]:
    """Those that no later record says are filled."""
    filled = {(gap.symbol, gap.channel, gap.after_id, gap.before_id) for gap in gaps if gap.filled}
    return (gap for gap in gaps if (gap.symbol, gap.channel, gap.after_id, gap.before_id) not in filled)


def _seconds(gap: Gap) -> float:
    """How long a gap lasted; without a bound it is no outage but a beginning."""
    if gap.after_ns is None or gap.before_ns is None:
        return 0.0
    return (gap.before_ns - gap.after_ns) / 1e9


async def _tell(settings: ConsumerSettings, alarms: list[Alarm], memory: Memory, now_ns: int) -> bool:
    """Calls the webhook if there is news or the same is old enough; False where the call failed."""
    names = [alarm.name for alarm in alarms]
    recent = now_ns - memory.called_ns < REPEAT_SECONDS * 1e9
    repeated = names == memory.alarms and recent and not EVENTS & set(names)
    if repeated or not (names or memory.alarms):
        return True
    if settings.deadman.webhook_credential and not await _post(settings, alarms):
        return False
    memory.alarms, memory.called_ns = names, now_ns
    return True


async def _post(settings: ConsumerSettings, alarms: list[Alarm]) -> bool:
    body = msgspec.json.encode(Call(socket.gethostname(), settings.source.name, alarms))
    url = credential(settings.deadman.webhook_credential)
    timeout = aiohttp.ClientTimeout(total=CALL_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(url, data=body, headers={"Content-Type": "application/json"}) as answer,
        ):
            answer.raise_for_status()
    except (aiohttp.ClientError, TimeoutError) as error:
        log.error("webhook: %s", type(error).__name__)  # the URL may hold a token, and so may the error's text
        return False
    return True


def _remember(settings: ConsumerSettings, now_ns: int) -> Memory:
    """What the last pass left. Stores it again at once, as a state that cannot be kept has to be told."""
    try:
        memory = msgspec.json.decode(settings.deadman.state_file.read_bytes(), type=Memory)
    except (FileNotFoundError, msgspec.DecodeError):
        memory = Memory(looked_ns=now_ns)
    _store(settings, memory)
    return memory


def _store(settings: ConsumerSettings, memory: Memory) -> None:
    path = settings.deadman.state_file
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".tmp")
    draft.write_bytes(msgspec.json.encode(memory))
    draft.rename(path)
