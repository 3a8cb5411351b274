"""The collector: a venue's feed into the journal, the journal into the buffer."""

import asyncio
import logging
import signal
import ssl
from typing import Any

from himari_runtime import metrics
from himari_runtime.feeds.budget import WeightBudget
from himari_runtime.feeds.feed import Feed
from himari_runtime.feeds.intake import Intake
from himari_runtime.feeds.past import Past
from himari_runtime.feeds.rest import RestClient, tls_for
from himari_runtime.feeds.spent import FILE, Spent
from himari_runtime.messages import Heartbeat
from himari_runtime.settings import CollectorSettings, SettingsError, credential
from himari_runtime.systemd import Notifier
from himari_runtime.transport.buffer import Pusher
from himari_runtime.transport.journal import Journal, JournalFullError, JournalInUseError, KeeperFailedError
from himari_runtime.transport.recovery import Previous
from himari_runtime.venues.dialect import Dialect
from himari_runtime.venues.registry import UnknownVenueError, dialect

NO_LINE = "no line"  # how the service's status begins when a symbol has none; `himari status` knows it
DRAIN_SECONDS = 3.0  # of the 5 s that a stop may take; the rest is for the last sync

log = logging.getLogger(__name__)


async def run(settings: CollectorSettings) -> int:
    """Collects until SIGTERM; returns the exit status: 0 after a stop, 1 after a failure.

    Raises SettingsError for what the settings have wrong.
    """
    venue, password, tls = _check(settings)
    try:
        journal = Journal.open(settings.journal, settings.source.name, venue.route, venue.dense)
    except (JournalInUseError, JournalFullError, OSError) as error:
        log.error("the journal cannot be opened: %s", error)
        return 1
    try:
        spent = Spent(settings.journal.path / FILE)
        budget = WeightBudget(settings.venue.weight_per_minute, spent=spent)
        async with RestClient(settings.venue.rest_url, tls, budget, venue) as rest:
            return await Collector(settings, venue, password, journal, rest, spent=spent, tls=tls).run()
    finally:
        journal.close()


def _check(settings: CollectorSettings) -> tuple[Dialect, str, ssl.SSLContext | None]:
    """What must be right before an epoch is spent: venue, symbols, credential, certificates."""
    try:
        venue = dialect(settings.venue.name)
        venue.subscriptions(settings.venue.symbols)
        return venue, credential(settings.buffer.credential), tls_for(settings.venue.rest_url, settings.venue.ca_file)
    except UnknownVenueError as error:
        raise SettingsError(f"venue.name: {error}") from None
    except ValueError as error:
        raise SettingsError(f"venue.symbols: {error}") from None
    except OSError as error:  # an SSLError is one
        raise SettingsError(f"venue.ca_file: {settings.venue.ca_file}: {error.strerror or error}") from None


class Collector:
    """All that runs in the process."""

    def __init__(
        self,
        settings: CollectorSettings,
        venue: Dialect,
        password: str,
        journal: Journal,
        rest: RestClient,
        *,
        spent: Spent,
        tls: ssl.SSLContext | None,
    ) -> None:
        self._metrics = settings.metrics
        self._notifier = Notifier()
        self._ready = False
        self._pusher = Pusher(settings.buffer, password, journal, venue)
        self._feed = Feed(
            settings.venue,
            venue,
            tls,
            rest,
            Intake(venue, journal),
            past=_past(journal.previous),
            spent=spent,
            backlog=lambda: (self._pusher.backlog_records, self._pusher.backlog_seconds),
            beaten=self._beaten,
        )

    async def run(self) -> int:
        """Runs until a signal or until a job ends, which none should; returns the exit status."""
        stop = _stop_signal()
        pusher = asyncio.create_task(self._pusher.run(), name="pusher")
        jobs = {**self._feed.jobs(), "metrics": self._serve_metrics()}
        feeding = [asyncio.create_task(job, name=name) for name, job in jobs.items()]
        await _first_of(stop, pusher, *feeding)
        self._notifier.stopping()
        ended = [task for task in (pusher, *feeding) if task.done()]
        await _cancel(*(task for task in feeding if not task.done()))
        if not ended:
            self._settle()
            await self._drain(pusher)
        await _cancel(pusher)
        return _verdict(ended)

    def _settle(self) -> None:
        """Leaves no hole undisclosed."""
        try:
            self._feed.settle()
        except (JournalFullError, KeeperFailedError, OSError) as error:
            log.error("what is missing cannot be written: %s: the next start will write it", error)

    async def _serve_metrics(self) -> None:
        await metrics.serve(self._metrics.address, self._metrics.port)
        await asyncio.Event().wait()

    async def _drain(self, pusher: asyncio.Task[None]) -> None:
        """Leaves the pusher a moment for what is journaled; the rest is pushed at the next start."""
        caught_up = asyncio.create_task(self._pusher.caught_up(), name="drain")
        await asyncio.wait([caught_up, pusher], timeout=DRAIN_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        await _cancel(caught_up)
        log.info("stopped with %d records not pushed", self._pusher.backlog_records)

    def _beaten(self, heartbeat: Heartbeat) -> None:
        """A heartbeat is in the journal: the loop advances and the disk takes writes."""
        subscribed = self._feed.is_subscribed
        if subscribed and not self._ready:
            self._ready = True
            self._notifier.ready()
        self._notifier.alive()
        lines = f"{heartbeat.lines_up} of {heartbeat.lines} lines" if subscribed else NO_LINE
        waiting = _fullness(self._pusher.kept) if self._pusher.full else ""
        self._notifier.status(
            f"{lines}, {sum(heartbeat.frames.values())} records, "
            f"{heartbeat.backlog_records} to push{waiting}, {heartbeat.gaps} gaps, {heartbeat.reconnects} reconnects"
        )


def _fullness(kept: float) -> str:
    cut = f", streams cut to {kept:.0%} of their window" if kept < 1 else ""
    return f" (buffer is full{cut}, waiting)"


def _past(previous: Previous) -> Past:
    return Past(previous.marks, previous.unfilled, previous.waiting, restarted=previous.last.epoch > 0)


def _stop_signal() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


async def _first_of(stop: asyncio.Event, *tasks: asyncio.Task[Any]) -> None:
    stopped = asyncio.create_task(stop.wait(), name="signal")
    await asyncio.wait([stopped, *tasks], return_when=asyncio.FIRST_COMPLETED)
    await _cancel(stopped)


async def _cancel(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _verdict(ended: list[asyncio.Task[Any]]) -> int:
    """Says what ended each job that should have gone on."""
    for task in ended:
        error = None if task.cancelled() else task.exception()
        log.error("%s ended: %s", task.get_name(), f"{type(error).__name__}: {error}" if error else "without an error")
        if error is not None:
            log.debug("where it ended", exc_info=error)
    return 1 if ended else 0
