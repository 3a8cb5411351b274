"""What the venue's own ledger says that it did to its lines. Pure."""

from collections import Counter
from collections.abc import Sequence

from himari.proof.accounts import ExchangeLedger, Key, Line


def repeated(account: ExchangeLedger) -> Counter[int]:
    """By line, how many frames it sent once more."""
    counts: Counter[int] = Counter()
    seen = set()
    for event in account.events:
        sent = (event.line, event.key, event.digest)
        counts[event.line] += sent in seen
        seen.add(sent)
    return counts


def swapped(account: ExchangeLedger) -> Counter[int]:
    """By line, how many frames it sent after one that follows them in their own stream."""
    counts: Counter[int] = Counter()
    newest: dict[tuple[int, str, str], int] = {}
    for event in account.events:
        key = Key.parse(event.key)
        stream = (event.line, key.channel, key.symbol)
        counts[event.line] += key.first_id < newest.get(stream, 0)
        newest[stream] = max(key.first_id, newest.get(stream, 0))
    return counts


def closed(lines: Sequence[Line], wanted: Sequence[int]) -> list[int]:
    """The numbers of those of the `wanted` lines that have ended."""
    ended = {line.line for line in lines if line.closed_ns is not None}
    return [number for number in wanted if number in ended]


def unfollowed(lines: Sequence[Line], wanted: int) -> list[Line]:
    """The lines at whose end fewer than `wanted` others were open: nothing had taken their place."""
    return [line for line in lines if line.closed_ns and _open_beside(line, line.closed_ns, lines) < wanted]


def _open_beside(line: Line, at_ns: int, lines: Sequence[Line]) -> int:
    others = (other for other in lines if other.line != line.line)
    return sum(other.opened_ns < at_ns and (other.closed_ns or at_ns) >= at_ns for other in others)
