"""What was spent of the venue's limits, in a file that outlives the process: a restart brings no other address.

The file is replaced as a whole and not synced: a power cut may cost its last entries, a killed process costs none. It
holds spans that were true at one time of the wall clock, so that a clock that was set back makes nobody wait longer.
"""

import logging
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec

FILE = "limits"  # in the journal's folder
CLOSED_SECONDS_MOST = 3 * 86_400.0  # no ban of a venue is longer, and no garbled answer may close for ever
SECOND_NS = 1_000_000_000

log = logging.getLogger(__name__)

Span = Annotated[int, msgspec.Meta(ge=0, le=1 << 62)]  # ns


class Saved(msgspec.Struct, forbid_unknown_fields=True):
    """The file: `at_ns` since 1970 says when the rest was true."""

    at_ns: Span
    connection_ages_ns: list[Span]
    closed_ns: Span  # still to go


class Spent:
    """When connections began, oldest first, and until when the venue wants no call; in seconds of `clock`, which never
    steps. Whoever knows the window drops what is older.

    `path`: None keeps nothing. What the disk refuses is logged: the limits of this process hold without it."""

    def __init__(
        self,
        path: Path | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self.clock = clock
        self.connections: deque[float] = deque()
        self.closed_until = clock()
        self._path = path
        self._wall_ns = wall_ns
        self._is_unwritable = False
        if path is not None:
            self._take_over(path)
            self._save()  # a clock that was set back is made good for once, not at each start

    @property
    def is_closed(self) -> bool:
        """Whether the venue wants no call."""
        return self.clock() < self.closed_until

    def connect(self) -> None:
        """A connection is about to begin."""
        self.connections.append(self.clock())
        self._save()

    def close(self, seconds: float) -> None:
        """The venue wants no call for `seconds`."""
        until = self.clock() + min(seconds, CLOSED_SECONDS_MOST)
        if until > self.closed_until:
            self.closed_until = until
            self._save()

    def _take_over(self, path: Path) -> None:
        saved = _read(path)
        if saved is None:
            return
        now, since = self.clock(), max(0, self._wall_ns() - saved.at_ns)
        ages = sorted(saved.connection_ages_ns, reverse=True)
        self.connections.extend(now - (age + since) / SECOND_NS for age in ages)
        left = min((saved.closed_ns - since) / SECOND_NS, CLOSED_SECONDS_MOST)
        if left > 0:
            self.closed_until = now + left
            log.warning("the venue asked to wait before this start: no call for another %.0f s", left)

    def _save(self) -> None:
        if self._path is None:
            return
        try:
            _replace(self._path, msgspec.json.encode(self._saved()))
        except OSError as error:
            if not self._is_unwritable:
                log.error("%s cannot be written, so a restart may exceed the venue's limits: %s", self._path, error)
            self._is_unwritable = True
        else:
            self._is_unwritable = False

    def _saved(self) -> Saved:
        now = self.clock()
        return Saved(
            at_ns=self._wall_ns(),
            connection_ages_ns=[_span(now - begun) for begun in self.connections],
            closed_ns=_span(self.closed_until - now),
        )


def _read(path: Path) -> Saved | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Saved)
    except FileNotFoundError:
        log.info("%s is not there: no connection is known from before this start", path)
    except (OSError, msgspec.MsgspecError) as error:
        log.warning("%s is damaged, so no connection is known from before this start: %s", path, error)
    return None


def _replace(path: Path, data: bytes) -> None:
    draft = path.with_name(f"{path.name}.tmp")
    draft.write_bytes(data)
    draft.replace(path)


def _span(seconds: float) -> int:
    return max(0, int(seconds * SECOND_NS))
