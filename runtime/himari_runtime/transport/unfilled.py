"""Gaps in trades that wait for their backfill, so that a run that was killed leaves them to the next."""

from collections.abc import Iterable

from himari_runtime.messages import Channel, Gap

MOST = 1000  # the newest; one that the venue can no longer fill stays among them


class Unfilled:
    """Follows the gaps of a journal; those that are open, oldest first."""

    def __init__(self, gaps: Iterable[Gap] = ()) -> None:
        self._open: dict[tuple[str, int | None, int | None], Gap] = {}
        for gap in gaps:
            self.note(gap)

    @property
    def gaps(self) -> tuple[Gap, ...]:
        return tuple(self._open.values())

    def note(self, gap: Gap) -> None:
        """Takes a gap, in the journal's order."""
        key = gap.symbol, gap.after_id, gap.before_id
        if gap.filled:
            self._open.pop(key, None)
        elif gap.channel == Channel.TRADE and gap.after_id is not None:
            self._open[key] = gap
            if len(self._open) > MOST:
                del self._open[next(iter(self._open))]
