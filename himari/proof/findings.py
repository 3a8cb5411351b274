"""What became of the events of one window: set arithmetic over keys and content. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from himari.proof.accounts import Digest, ExchangeLedger, Gap, Held, Key, Sent, Window
from himari.proof.gaps import HeldKeys, by_place, judged, still_open, undisclosed
from himari.proof.streams import Pair


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """The events of one window by what became of them, and the gaps that reach into it."""

    sent: list[Sent]
    wanted: set[Pair]  # the same, each once
    journaled: set[Pair]  # of those
    stored: set[Pair]  # of those
    excused: set[Pair]  # missing, inside a disclosed gap
    lost: set[Pair]  # missing, and nothing says so
    invented: set[Pair]
    repeated: list[str]  # keys of what was stored too often
    held: HeldKeys  # also beyond the window
    gaps: list[Gap]
    opened: list[Gap]  # of those, which no backfill closed
    breaks: list[str]  # of the venue's sequence, which no gap discloses, in words


def findings(account: ExchangeLedger, journal: Digest, stored: Digest, window: Window) -> Findings:
    """`account` must reach beyond the window on both sides, `stored` to its end and beyond."""
    sent = [event for event in account.events if window.start_ns <= event.sent_ns <= window.end_ns]
    received = [event for event in stored.events if window.start_ns <= event.received_ns <= window.end_ns]
    wanted, have, held = pairs(sent), pairs(stored.events), by_place(stored)
    gaps = judged(stored.gaps, window)
    opened = still_open(gaps)
    missing = wanted - have
    excused = {pair for pair in missing if _excused(pair[0], opened)}
    return Findings(
        sent=sent,
        wanted=wanted,
        journaled=wanted & pairs(journal.events),
        stored=wanted & have,
        excused=excused,
        lost=missing - excused,
        invented=pairs(received) - pairs(account.events),
        repeated=_stored_too_often(received, account.events),
        held=held,
        gaps=gaps,
        opened=opened,
        # A gap that ended before the window still names what is missing in the margin that was read with it.
        breaks=list(undisclosed(held, still_open(list(dict.fromkeys(stored.gaps))))),
    )


def pairs(events: Iterable[Sent | Held]) -> set[Pair]:
    return {(event.key, event.digest) for event in events}


def _stored_too_often(held: Sequence[Held], sent: Sequence[Sent]) -> list[str]:
    """Keys of streamed events, once for each copy too many; a venue that sends twice is stored twice."""
    came = Counter((event.key, event.digest) for event in sent if event.how == "ws")
    have = Counter((event.key, event.digest) for event in held if event.how == "ws")
    # What never came is invented, not repeated.
    return sorted(key for key, content in (have - came).elements() if (key, content) in came)


def _excused(key: str, gaps: Sequence[Gap]) -> bool:
    parsed = Key.parse(key)
    return any(gap.covers(parsed) for gap in gaps)
