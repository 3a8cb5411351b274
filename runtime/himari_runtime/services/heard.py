"""What the dead-man asks of others: the consumer about itself, and the edge's node exporter about its memory."""

import logging

import aiohttp
import msgspec
from prometheus_client.parser import text_string_to_metric_families

from himari_runtime.metrics import (
    CATCH_UP_LEFT_METRIC,
    CATCH_UP_METRIC,
    CATCHING_UP_METRIC,
    FAILING_METRIC,
    FRAME_METRIC,
)
from himari_runtime.settings import ConsumerSettings

METRICS_SECONDS = 3.0
KILLS_METRIC = "node_vmstat_oom_kill"  # of the kernel since boot

log = logging.getLogger(__name__)


class Heard(msgspec.Struct, frozen=True):
    """What the consumer tells of itself: when its newest frame was received (ns since 1970; None: it does not say),
    whether it cannot write what it has read, and whether it reads from the edge's segments what it missed: how many
    records are left then, and for how long (s; 0: not known)."""

    frame_ns: int | None = None
    failing: bool = False
    catching_up: bool = False
    behind: int = 0
    seconds_left: float = 0.0


async def consumer_says(settings: ConsumerSettings) -> Heard:
    """The consumer's own metrics; nothing where it does not answer, no frame where it has read none yet."""
    told = await _told(f"http://{settings.metrics.address}:{settings.metrics.port}/metrics")
    return Heard(
        frame_ns=int(told.get(FRAME_METRIC, 0)) or None,
        failing=bool(told.get(FAILING_METRIC, 0)),
        catching_up=bool(told.get(CATCHING_UP_METRIC, 0)),
        behind=int(told.get(CATCH_UP_METRIC, 0)),
        seconds_left=told.get(CATCH_UP_LEFT_METRIC, 0.0),
    )


async def edge_kills(settings: ConsumerSettings) -> int | None:
    """How often the edge's kernel has killed for want of memory since it booted; None where nobody tells.

    An edge that cannot be asked is no alarm of its own: its silence is."""
    told = await _told(settings.deadman.edge_metrics_url)
    return int(told[KILLS_METRIC]) if KILLS_METRIC in told else None


async def _told(url: str) -> dict[str, float]:
    """A page of Prometheus metrics by name; empty where it cannot be had."""
    timeout = aiohttp.ClientTimeout(total=METRICS_SECONDS)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as answer:
            answer.raise_for_status()
            families = text_string_to_metric_families(await answer.text())
            return {sample.name: sample.value for family in families for sample in family.samples}
    except (aiohttp.ClientError, TimeoutError, ValueError, OSError) as error:
        log.warning("no answer at %s: %r", url, error)
        return {}
