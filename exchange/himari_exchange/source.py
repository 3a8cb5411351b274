"""Where frames come from: made up, or recorded."""

from collections.abc import Mapping
from typing import Protocol

from himari_exchange.frames import Frame
from himari_exchange.instrument import Instrument


class Source(Protocol):
    """A market that advances with the clock it is given (realtime ns)."""

    @property
    def instruments(self) -> Mapping[str, Instrument]:
        """By symbol, in capitals."""

    def begin(self, now_ns: int) -> None:
        """Somebody subscribed; a recording starts at the first time."""

    def advance(self, now_ns: int) -> list[Frame]:
        """Everything that happened up to `now_ns` and was not yet told."""
