"""Faults that a wrong or tight setting makes: Redis without room, lines that live for seconds, a stranger's
certificate, a clock that runs ahead."""

import time

from himari.catalog.collector import UNIT as COLLECTOR
from himari.catalog.exchange import KEY
from himari.catalog.exchange import UNIT as VENUE
from himari.catalog.hostpaths import (
    COLLECTOR_SETTINGS,
    CREDENTIALS,
    EXCHANGE_CERTIFICATE,
    EXCHANGE_SETTINGS,
    REDIS_CONFIG,
)
from himari.catalog.redis_buffer import UNIT as REDIS
from himari.drills.altered import alter, whole
from himari.drills.drill import Drill, Gaps, Quiet
from himari.drills.effects import unfollowed
from himari.drills.field import Field
from himari.stack.errors import HostError

MAXMEMORY = "sed -i 's/^maxmemory .*/maxmemory 2mb/' $f"
LINE_LIFE = "sed -i 's/^line_life_seconds = .*/line_life_seconds = {:.1f}/' $f"
VENUE_LIFE = "printf '[limits]\\nline_life_seconds = {:.1f}\\n' >>$f"
AHEAD = f"/run/systemd/system/{COLLECTOR}.d/ahead.conf"
CLOCK = "/run/himari-drill-clock"  # how far the clock is off; what runs looks there each second
AHEAD_TEXT = (
    "[Service]\\nEnvironment=LD_PRELOAD={library} DONT_FAKE_MONOTONIC=1\\n"
    f"Environment=FAKETIME_TIMESTAMP_FILE={CLOCK} FAKETIME_CACHE_DURATION=1\\n"
)
FIND_LIBRARY = "dpkg -L libfaketime | grep '/libfaketime.so.1$' | head -1"
INSTALL = (
    "dpkg -s libfaketime >/dev/null 2>&1 || { apt-get update -qq; apt-get install -qq -y libfaketime; } >/dev/null"
)
# Its own signature on its own key: without the key that the venue holds it would not even start.
STRANGER = (
    f"systemd-creds decrypt --name={KEY} {CREDENTIALS}/{KEY} - "
    "| openssl req -x509 -key /dev/stdin -out $f -days 1 -subj /CN=stranger"
)


class BufferFull(Quiet):
    """Redis starts again with less memory than its streams hold, and refuses every write."""

    def inject(self, field: Field) -> None:
        alter(field, field.edge, REDIS_CONFIG, MAXMEMORY, REDIS)

    def seen(self, field: Field) -> str:
        said = field.status()
        return said if "full" in said else ""

    def lift(self, field: Field) -> None:
        whole(field, field.edge, REDIS_CONFIG, REDIS)

    def restored(self, field: Field) -> bool:
        return "full" not in field.status()


class ShortLines(Quiet):
    """Lines live for seconds at the venue as they do for hours, and the collector leaves them a little earlier."""

    def __init__(self, collector_seconds: float, venue_seconds: float, replaced: int) -> None:
        self._collector, self._venue, self._replaced = collector_seconds, venue_seconds, replaced
        self._before: dict[str, float] = {}
        self._since_ns = 0

    def prepare(self, field: Field) -> None:
        alter(field, field.exchange, EXCHANGE_SETTINGS, VENUE_LIFE.format(self._venue), VENUE)
        alter(field, field.edge, COLLECTOR_SETTINGS, LINE_LIFE.format(self._collector), COLLECTOR)

    def inject(self, field: Field) -> None:
        self._before, self._since_ns = field.told_by_collector(), time.time_ns()

    def seen(self, field: Field) -> str:
        aged = self._left(field, "aged")
        return f"{aged:.0f} lines were left for their successors at their age" if aged >= self._replaced else ""

    def lift(self, field: Field) -> None:
        """Raises HostError where a line went before its successor had come."""
        if cut := self._left(field, "closed"):
            raise HostError(f"{cut:.0f} lines were cut by the venue", field.edge, "each left before it is cut")
        (venue,) = field.stack.venues.values()
        ended = unfollowed(field.sent(self._since_ns).lines, venue.lines)
        if ended:
            named = ", ".join(str(line.line) for line in ended)
            raise HostError(f"line {named} ended before its successor was open", field.edge, "made before it breaks")

    def _left(self, field: Field, why: str) -> float:
        """How many lines ended for a reason since the beginning, as the collector counts them."""
        name = f'himari_reconnects_total{{why="{why}"}}'
        return field.told_by_collector().get(name, 0.0) - self._before.get(name, 0.0)

    def restored(self, field: Field) -> bool:
        return field.collector().carries

    def heal(self, field: Field) -> None:
        whole(field, field.exchange, EXCHANGE_SETTINGS, VENUE)
        whole(field, field.edge, COLLECTOR_SETTINGS, COLLECTOR)


class ClockAhead(Quiet):
    """The collector's clock jumps ahead while it runs, and later falls back; it is begun with a clock that can."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def prepare(self, field: Field) -> None:
        field.inside(field.edge, INSTALL)
        self._set(field, 0)
        text = AHEAD_TEXT.format(library=field.inside(field.edge, FIND_LIBRARY).strip())
        write = f"mkdir -p $(dirname {AHEAD}); printf '{text}' >{AHEAD}"
        field.inside(field.edge, f"{write}; systemctl daemon-reload; systemctl restart {COLLECTOR}")

    def inject(self, field: Field) -> None:
        self._set(field, self._seconds)

    def seen(self, field: Field) -> str:
        offset = field.told_by_collector().get("himari_clock_offset_seconds", 0.0)
        return f"the collector sees the venue's clock {-offset:.1f} s behind" if offset < -self._seconds / 2 else ""

    def lift(self, field: Field) -> None:
        self._set(field, 0)

    def restored(self, field: Field) -> bool:
        return field.collector().carries

    def heal(self, field: Field) -> None:
        restart = f"systemctl daemon-reload; systemctl restart {COLLECTOR}"
        field.inside(field.edge, f"rm -f {CLOCK}; [ -e {AHEAD} ] || exit 0; rm {AHEAD}; {restart}")

    @staticmethod
    def _set(field: Field, seconds: float) -> None:
        draft = f"{CLOCK}.draft"
        field.inside(field.edge, f"echo +{seconds:g}s >{draft}; chmod 644 {draft}; mv {draft} {CLOCK}")


class Stranger(Quiet):
    """The venue shows a certificate that the collector's authority never signed."""

    def inject(self, field: Field) -> None:
        alter(field, field.exchange, EXCHANGE_CERTIFICATE, STRANGER, VENUE)

    def seen(self, field: Field) -> str:
        newest = f"journalctl -u {COLLECTOR} --since=-1min -g CERTIFICATE_VERIFY_FAILED -n 1 -o cat --no-pager"
        refused = field.asked(field.edge, newest)
        return refused[-200:] if refused and field.collector().lines == 0 else ""

    def lift(self, field: Field) -> None:
        whole(field, field.exchange, EXCHANGE_CERTIFICATE, VENUE)

    def restored(self, field: Field) -> bool:
        return field.collector().carries


DRILLS = (
    Drill(
        name="redis-full",
        says="Redis has less memory than its streams hold, and refuses every write for 5 seconds",
        deadline="all that waited is on the brain within 30 seconds, and nothing is missed",
        within=30,
        sees="the collector says that the buffer is full",
        gaps=Gaps.NONE,
        takes=50,
        lasts=5,
        fault=lambda _: BufferFull(),
        together=True,
    ),
    Drill(
        name="line-cuts",
        says="The venue cuts each line at 24 seconds instead of hours, for 60 seconds",
        deadline="each line has a successor before it is cut, and nothing is missed",
        within=5,
        sees="eight lines at least were left at their age, none was cut",
        gaps=Gaps.NONE,
        takes=150,
        lasts=60,
        fault=lambda _: ShortLines(collector_seconds=12, venue_seconds=24, replaced=8),
    ),
    Drill(
        name="venue-certificate",
        says="The venue shows a stranger's certificate for 15 seconds",
        deadline="the lines are up within 20 seconds of its own certificate's return",
        within=20,
        sees="the collector refuses it and says so",
        gaps=Gaps.TIGHT,
        takes=90,
        lasts=15,
        fault=lambda _: Stranger(),
    ),
    Drill(
        name="clock",
        says="The collector's clock jumps 2 seconds ahead while it runs, and falls back 20 seconds later",
        deadline="new data is on the brain within 10 seconds of the clock's return, and nothing is missed",
        within=10,
        sees="the collector sees how far its clock and the venue's are apart",
        gaps=Gaps.NONE,
        takes=90,
        lasts=20,
        ahead=3,  # its 2 seconds, and the one until the collector's clock falls back
        fault=lambda _: ClockAhead(2),
    ),
)
