"""The venues that there are. A new one is a folder here and a line in each table."""

from collections.abc import Callable

from himari_runtime.messages import Record, Route
from himari_runtime.venues.binance import primer as binance_primer
from himari_runtime.venues.binance.route import route as binance_route

ROUTES: dict[str, Callable[[Record], Route]] = {"binance": binance_route}
PRIMERS: dict[str, bytes] = {"binance": binance_primer.V1}


class UnknownVenueError(Exception):
    """No such venue; the text names those that there are."""


def route(venue: str, record: Record) -> Route:
    """Where `record` of `venue` belongs. Raises UnknownVenueError."""
    return router(venue)(record)


def router(venue: str) -> Callable[[Record], Route]:
    """The pure function behind `route`, looked up once. Raises UnknownVenueError."""
    return ROUTES[_known(venue)]


def primer(venue: str) -> bytes:
    """The dictionary that chunks of `venue` are compressed with. Raises UnknownVenueError."""
    return PRIMERS[_known(venue)]


def _known(venue: str) -> str:
    if venue not in ROUTES:
        raise UnknownVenueError(f"venue {venue}: not known: expected one of {', '.join(sorted(ROUTES))}")
    return venue
