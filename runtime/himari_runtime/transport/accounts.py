"""How far each channel is accounted for by records alone: an id is stored, or it lies in a gap that is written.

A hole becomes a gap only when no line has brought what is missing. Until then the records behind it are there and
nothing says that those before them are not: whoever dies in between must leave that to the next.
"""

from collections.abc import Container, Mapping

from himari_runtime.messages import Gap, Mark, Route, mark_key, stream_of
from himari_runtime.venues.sequence import HELD_MOST, Event, Missing, Sequence, Stored, Waiting

FOREVER_NS = 1 << 62  # who writes the gaps decides how long a hole may wait
MARGIN = 2  # and gives up before we do


class Accounts:
    """Follows records in their order, from `marks` and what waited there; `dense`: the channels whose every id is
    sent."""

    def __init__(self, dense: Container[str], marks: Mapping[str, Mark], waiting: Mapping[str, Waiting]) -> None:
        self._dense = dense
        self._sequences: dict[tuple[str, str], Sequence] = {}
        for key, mark in marks.items():
            stream, _, channel = key.rpartition("|")
            if channel in dense:
                self._sequence(stream, channel).last = Stored(mark.last_id, mark.received_ns)
        for key, waited in waiting.items():
            stream, _, channel = key.rpartition("|")
            self._sequence(stream, channel).wait(waited)

    @property
    def waiting(self) -> dict[str, Waiting]:
        """The channels with a hole that no gap discloses, by `stream|channel`."""
        found = {mark_key(*key): sequence.waiting for key, sequence in self._sequences.items()}
        return {key: waiting for key, waiting in found.items() if waiting is not None}

    def follow(self, where: Route, received_ns: int, monotonic_ns: int) -> None:
        """Takes a record; what is not of a dense channel passes."""
        if where.channel not in self._dense:
            return
        sequence = self._sequence(where.stream, where.channel)
        if not sequence.follows(where.first_id, where.last_id, received_ns):
            sequence.offer(Event(where.first_id, where.last_id, received_ns, monotonic_ns))

    def disclose(self, gap: Gap) -> None:
        """Takes a gap; one that was filled was disclosed before."""
        if gap.channel in self._dense and gap.before_id is not None and not gap.filled:
            stream = stream_of(gap.venue, gap.symbol, gap.channel)
            self._sequence(stream, gap.channel).disclosed(gap.before_id, gap.before_ns or 0)

    def missing(self, stream: str, channel: str) -> list[Missing]:
        """The holes of a channel of which nothing is said yet."""
        sequence = self._sequences.get((stream, channel))
        waiting = sequence.waiting if sequence else None
        if waiting is None:
            return []
        following = Sequence(True, None, None)
        following.wait(waiting)
        return [placed.missing for placed in following.settle() if placed.missing is not None]

    def go_on(self, where: Route, received_ns: int) -> None:
        """All that is missing before a record that is not followed yet has been said."""
        if where.channel in self._dense:
            self._sequence(where.stream, where.channel).disclosed(where.first_id, received_ns)

    def _sequence(self, stream: str, channel: str) -> Sequence:
        key = stream, channel
        if key not in self._sequences:
            self._sequences[key] = Sequence(True, None, None, FOREVER_NS, MARGIN * HELD_MOST)
        return self._sequences[key]
