"""The ledger by symbol and channel. Pure."""

from collections import Counter
from collections.abc import Iterable

import msgspec

from himari.proof.accounts import Key

Pair = tuple[str, str]  # key, content digest


class StreamAccount(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the events of one channel of one symbol."""

    symbol: str
    channel: str
    sent: int
    journaled: int
    stored: int
    in_gaps: int
    lost: int


def by_stream(
    sent: Iterable[Pair],
    *,
    journaled: Iterable[Pair],
    stored: Iterable[Pair],
    in_gaps: Iterable[Pair],
    lost: Iterable[Pair],
) -> list[StreamAccount]:
    """One account a symbol and channel of `sent`, by name; the others are parts of it."""
    whole = _counts(sent)
    parts = {"journaled": journaled, "stored": stored, "in_gaps": in_gaps, "lost": lost}
    counts = {name: _counts(pairs) for name, pairs in parts.items()}
    return [
        StreamAccount(
            symbol=place[0], channel=place[1], sent=whole[place], **{name: counts[name][place] for name in parts}
        )
        for place in sorted(whole)
    ]


def _counts(pairs: Iterable[Pair]) -> Counter[tuple[str, str]]:
    keys = (Key.parse(key) for key, _ in pairs)
    return Counter((key.symbol, key.channel) for key in keys)
