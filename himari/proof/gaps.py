"""Gaps: which are open, which are tight, and which breaks of a venue's sequence nobody disclosed."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from himari.proof.accounts import Digest, Gap, Held, Key, Window

# Whether the venue sends every id of a channel, by its documentation. Written here a second time on purpose: a proof
# that asked the runtime would repeat the runtime's error.
DENSE = {
    "trade": True,  # each trade of a symbol has the next id
    "depth": True,  # each update begins where the one before it ended
    "book_ticker": False,  # ids are those of the book's updates, and only some change its top
}

RENUMBERED = "renumbered"  # the venue began its ids anew: such a gap names no event, and no fault makes it

Place = tuple[str, str]  # symbol, channel
HeldKeys = dict[Place, list[tuple[Key, Held]]]


def by_place(digest: Digest) -> HeldKeys:
    """The events that a host holds, by symbol and channel, in the venue's order."""
    places: HeldKeys = defaultdict(list)
    for held in digest.events:
        key = Key.parse(held.key)
        places[key.symbol, key.channel].append((key, held))
    for events in places.values():
        events.sort(key=lambda event: (event[0].first_id, event[0].last_id, event[1].received_ns))
    return dict(places)


def judged(gaps: Iterable[Gap], window: Window) -> list[Gap]:
    """Each gap once, if it reaches into the window; one that ended before it is another window's matter."""
    return [
        gap
        for gap in dict.fromkeys(gaps)
        if gap.reason != RENUMBERED
        and (gap.before_ns is None or gap.before_ns >= window.start_ns)
        and (gap.after_ns is None or gap.after_ns <= window.end_ns)
    ]


def still_open(gaps: Sequence[Gap]) -> list[Gap]:
    """Gaps that no backfill closed: only these excuse that something is missing."""
    fills = [gap for gap in gaps if gap.filled]
    return [gap for gap in gaps if not gap.filled and not any(_contains(fill, gap) for fill in fills)]


def _contains(outer: Gap, inner: Gap) -> bool:
    return (
        outer.stream == inner.stream
        and (outer.after_id is None or (inner.after_id is not None and outer.after_id <= inner.after_id))
        and (outer.before_id is None or (inner.before_id is not None and outer.before_id >= inner.before_id))
    )


def undisclosed(held: HeldKeys, open_gaps: Sequence[Gap]) -> Iterator[str]:
    """Breaks in the stored sequence of a dense channel that no open gap covers, in words.

    What follows by its id and was streamed earlier is no break: the venue began its numbers anew."""
    for (symbol, channel), events in held.items():
        if not DENSE.get(channel, False):
            continue
        streamed = [key for key, event in events if event.how == "ws"]
        if not streamed:
            continue
        last, last_ns = streamed[0].last_id, 0
        for key, event in events:
            if last + 1 < key.first_id <= streamed[-1].first_id and event.received_ns >= last_ns:
                hole = Key(channel, symbol, last + 1, key.first_id - 1)
                if not any(gap.covers(hole) for gap in open_gaps):
                    yield f"{channel} {symbol}: {hole.first_id} to {hole.last_id} are missing and no gap says so"
            last = max(last, key.last_id)
            last_ns = event.received_ns if event.how == "ws" else last_ns


def looseness(gap: Gap, held: HeldKeys, digest: Digest) -> str:
    """Why `gap` is wider than what is missing, or "": it starts at the last stored and ends at the first stored id.

    What arrived after the gap's end was late, not there: it does not make the gap loose."""
    events = held.get(gap.stream, [])
    firsts = {key.first_id: event.received_ns for key, event in reversed(events)}
    lasts = {key.last_id: event.received_ns for key, event in reversed(events)}
    end_ns = firsts.get(gap.before_id or 0)
    if gap.before_id is not None and end_ns is None and _within(gap.before_ns, digest):
        return f"ends at {gap.before_id}, which is not stored"
    if gap.after_id is not None and gap.after_id not in lasts and _within(gap.after_ns, digest):
        return f"starts at {gap.after_id}, which is not stored"
    limit_ns = end_ns or gap.before_ns
    inside = [
        key
        for key, event in events
        if event.how == "ws" and gap.covers(key) and (limit_ns is None or event.received_ns < limit_ns)
    ]
    return f"claims {inside[0].first_id} and {len(inside) - 1} more, which are stored" if inside else ""


def _within(time_ns: int | None, digest: Digest) -> bool:
    if time_ns is None or digest.first_ns is None or digest.last_ns is None:
        return False
    return digest.first_ns <= time_ns <= digest.last_ns


def excess(gap: Gap, window: Window) -> str:
    """Why `gap` is longer than the one fault that made it and its grace, or "".

    Of several that it touches the longest explains it: together they would excuse what none of them can have made."""
    start, end = gap.after_ns or window.start_ns, gap.before_ns or window.end_ns
    allowed = max((fault.explained_seconds for fault in window.faults if fault.touches(start, end)), default=None)
    if allowed is None:
        return "has no fault that explains it"
    return f"lasts {gap.seconds:.1f} s, {allowed:.1f} s are explained" if gap.seconds > allowed else ""
