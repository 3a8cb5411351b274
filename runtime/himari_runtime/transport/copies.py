"""Which records repeat what another line brought first.

Both are in the journal; onto the link goes the first. A copy is pushed, without its content, only where it ends a
chunk: the buffer's last id must reach the journal's, or the pusher would look for it again at each start.
"""

from collections.abc import Container
from itertools import islice, takewhile

import msgspec

from himari_runtime.messages import RENUMBERED_IDS, Channel, Copy, Kind, Record, Route

TRADES_MOST = 100_000  # ids a symbol that are remembered
OTHERS_MOST = 200_000  # events of all symbols
FORGET_STEP = 500  # events between two looks at the oldest
ID_BITS = 64
OTHERS_NS = 60 * 10**9  # a line that is later than this is long replaced


class TradeIds:
    """The ids seen among a symbol's last `most`: an unbroken range but for what is missing in it."""

    def __init__(self, most: int = TRADES_MOST) -> None:
        self._most = most
        self._first = self._last = -1
        self._missing: set[int] = set()

    def add(self, trade_id: int) -> bool:
        """False where it was seen before."""
        if trade_id == self._last + 1 and self._last >= 0:
            self._last = trade_id
            if trade_id - self._first >= self._most:
                self._first = trade_id - self._most + 1
        elif self._last < 0 or trade_id < self._last - RENUMBERED_IDS:
            self._first = self._last = trade_id
            self._missing.clear()
        elif trade_id > self._last:
            self._missing.update(range(max(self._last + 1, trade_id - self._most), trade_id))
            self._last = trade_id
            self._forget()
        elif trade_id in self._missing:
            self._missing.discard(trade_id)
        elif trade_id < self._first:
            if trade_id > self._last - self._most:
                self._missing.update(range(trade_id + 1, self._first))
                self._first = trade_id
        else:
            return False
        return True

    def _forget(self) -> None:
        self._first = max(self._first, self._last - self._most + 1)
        if len(self._missing) > self._most:
            self._missing = {trade_id for trade_id in self._missing if trade_id >= self._first}


class Copies:
    """Tells copies from firsts, record after record in journal order; `sequenced`: the channels whose ids name events.

    What it remembers is bounded, so a copy that comes very late, or after a restart, counts as a first: a repetition,
    which every store tells by its id, and never a loss.
    """

    def __init__(self, sequenced: Container[Channel]) -> None:
        self._sequenced = sequenced
        self._trades: dict[str, TradeIds] = {}
        self._numbers: dict[str, int] = {}  # of each symbol's channels
        self._others: dict[int, int] = {}
        self._added = 0

    def is_copy(self, record: Record, route: Route) -> bool:
        """Whether a line brought the event of `record` before; remembers it."""
        if record.kind != Kind.FRAME or route.channel not in self._sequenced:
            return False
        if route.channel is Channel.TRADE:
            return not self._trades.setdefault(route.symbol, TradeIds()).add(route.last_id)
        key = self._key(route)
        if key in self._others:
            return True
        self._others[key] = record.received_ns
        self._forget(record.received_ns)
        return False

    def _key(self, route: Route) -> int:
        """One number: a dict of numbers is nothing that the garbage collector looks through, and one of tuples stops
        all else for tens of milliseconds."""
        number = self._numbers.setdefault(route.symbol + route.channel, len(self._numbers))
        return (number << ID_BITS | route.first_id) << ID_BITS | route.last_id

    def _forget(self, received_ns: int) -> None:
        """In steps: whoever looks for a dict's oldest entry passes all that were deleted before it."""
        self._added += 1
        if self._added % FORGET_STEP:
            return
        excess = len(self._others) - OTHERS_MOST
        eldest = enumerate(islice(self._others.items(), 2 * FORGET_STEP))
        late = takewhile(lambda entry: entry[0] < excess or entry[1][1] < received_ns - OTHERS_NS, eldest)
        for key in [key for _, (key, _) in late]:
            del self._others[key]


def thin(run: list[Record]) -> list[Record]:
    """The records of a chunk without the copies, but for its last, which names the chunk."""
    return [*(record for record in run[:-1] if record.kind != Kind.COPY), run[-1]]


def shorten(record: Record, route: Route) -> Record:
    """What is pushed of a copy."""
    return msgspec.structs.replace(
        record, kind=Kind.COPY, payload=msgspec.json.encode(Copy(route.symbol, route.channel))
    )
