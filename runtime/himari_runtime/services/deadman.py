"""One look at whether the brain still gets and can keep data; a timer of systemd repeats it. Nobody hears a silence."""

import logging
import socket
import time
from collections.abc import Iterator

import aiohttp
import msgspec
from prometheus_client.parser import text_string_to_metric_families

from himari_runtime.messages import Gap
from himari_runtime.metrics import FRAME_METRIC
from himari_runtime.settings import ConsumerSettings, credential
from himari_runtime.sinks.parquet import disk_share
from himari_runtime.sinks.parquet_reader import gaps_since, newest_frame_ns
from himari_runtime.venues.registry import dialect

REPEAT_SECONDS = 600.0
CALL_SECONDS = 10.0
METRICS_SECONDS = 3.0
LOOKBACK_SECONDS = 600.0  # beyond the limit; a silence that is longer is told as this long

log = logging.getLogger(__name__)


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


async def run(settings: ConsumerSettings) -> int:
    """0 when all is well, 1 while something is wrong or the webhook could not be reached. Raises SettingsError."""
    now_ns = time.time_ns()
    memory = _remember(settings)
    heard_ns = await consumed_frame_ns(settings)
    alarms = list(look(settings, now_ns, memory.looked_ns, heard_ns))
    for alarm in alarms:
        log.error("%s: %s: %s, limit %s", alarm.name, alarm.says, alarm.observed, alarm.limit)
    heard = await _tell(settings, alarms, memory, now_ns)
    memory.looked_ns = now_ns
    _store(settings, memory)
    return 0 if heard and not alarms else 1


def look(settings: ConsumerSettings, now_ns: int, looked_ns: int, heard_ns: int | None) -> Iterator[Alarm]:
    """What is wrong at `now_ns`; gaps that were stored since `looked_ns`. `heard_ns` is the consumer's newest frame."""
    limits = settings.deadman
    root, source, venue = settings.parquet.path, settings.source.name, settings.venue.name
    silence = _silence(settings, now_ns, heard_ns)
    if silence is not None:
        yield silence
    free = disk_share(root)
    if free < limits.disk_free:
        yield Alarm("disk", "share of the disk that is free", round(free, 3), limits.disk_free)
    longest = max(map(_seconds, _open(gaps_since(root, source, venue, looked_ns))), default=0.0)
    if longest > limits.gap_seconds:
        yield Alarm("gap", "seconds of the longest gap since the last look", round(longest, 1), limits.gap_seconds)


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


async def consumed_frame_ns(settings: ConsumerSettings) -> int | None:
    """When the newest frame that the consumer has read was received, in ns since 1970, by its own metrics.

    None where it does not answer, or has read none since it started."""
    url = f"http://{settings.metrics.address}:{settings.metrics.port}/metrics"
    timeout = aiohttp.ClientTimeout(total=METRICS_SECONDS)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as answer:
            answer.raise_for_status()
            families = text_string_to_metric_families(await answer.text())
            samples = [sample for family in families for sample in family.samples]
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        log.warning("the consumer does not answer at %s: %r", url, error)
        return None
    return next((int(sample.value) for sample in samples if sample.name == FRAME_METRIC), 0) or None


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
    repeated = names == memory.alarms and now_ns - memory.called_ns < REPEAT_SECONDS * 1e9
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


def _remember(settings: ConsumerSettings) -> Memory:
    try:
        return msgspec.json.decode(settings.deadman.state_file.read_bytes(), type=Memory)
    except (FileNotFoundError, msgspec.DecodeError):
        return Memory(looked_ns=time.time_ns())


def _store(settings: ConsumerSettings, memory: Memory) -> None:
    path = settings.deadman.state_file
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".tmp")
    draft.write_bytes(msgspec.json.encode(memory))
    draft.rename(path)
