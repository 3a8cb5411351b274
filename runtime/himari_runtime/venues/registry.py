"""The venues that there are. A new one is a folder here and a line in the table."""

from collections.abc import Callable

from himari_runtime.messages import Record, Route
from himari_runtime.venues.binance.dialect import BINANCE
from himari_runtime.venues.dialect import Dialect

VENUES: dict[str, Dialect] = {
    "binance": BINANCE,
}


class UnknownVenueError(Exception):
    """No such venue; the text names those that there are."""


def dialect(venue: str) -> Dialect:
    """What `venue` means. Raises UnknownVenueError."""
    if venue not in VENUES:
        raise UnknownVenueError(f"venue {venue}: not known: expected one of {', '.join(sorted(VENUES))}")
    return VENUES[venue]


def route(venue: str, record: Record) -> Route:
    """Where `record` of `venue` belongs. Raises UnknownVenueError."""
    return router(venue)(record)


def router(venue: str) -> Callable[[Record], Route]:
    """The pure function behind `route`, looked up once. Raises UnknownVenueError."""
    return dialect(venue).route


def primer(venue: str) -> bytes:
    """The dictionary that chunks of `venue` are compressed with. Raises UnknownVenueError."""
    return dialect(venue).primer
