"""What a proof's input was, as the evidence says it."""

import msgspec

from himari.catalog.component import Feed, View
from himari.catalog.endpoints import endpoint, exchange_host
from himari.catalog.exchange import SEED
from himari.stack.model import Stack


class Market(msgspec.Struct, frozen=True, kw_only=True, tag="seeded market", tag_field="source"):
    """An order-book market that our exchange makes up; the same seed makes the same again."""

    seed: int
    symbols: tuple[str, ...]
    frames_per_s: float

    @property
    def says(self) -> str:
        rate = f"{self.frames_per_s:g} frames a second"
        return f"the market that our exchange makes up: {', '.join(self.symbols)}, {rate}, seed {self.seed}"


class Recording(msgspec.Struct, frozen=True, kw_only=True, tag="recording", tag_field="source"):
    """A recording of a venue, which our exchange replays; `name` is its file's."""

    name: str
    sha256: str
    symbols: tuple[str, ...]
    speed: float

    @property
    def says(self) -> str:
        pace = "its own speed" if self.speed == 1.0 else f"{self.speed:g} times its speed"
        return f"the recording {self.name} of {', '.join(self.symbols)} at {pace} (sha256 {self.sha256[:12]}...)"


class RealVenue(msgspec.Struct, frozen=True, kw_only=True, tag="live", tag_field="source"):
    """A venue's own servers, or those that the stack file names in their place."""

    url: str
    symbols: tuple[str, ...]

    @property
    def says(self) -> str:
        return f"the venue itself, live at {self.url}: {', '.join(self.symbols)}"


Source = Market | Recording | RealVenue


def source_of(stack: Stack, feed: Feed) -> Source:
    """Where the edge of `stack` has its frames from with `feed`."""
    ((name, venue),) = stack.venues.items()
    view = View(stack=stack, host_name=next(iter(stack.hosts)), feed=feed)
    if not exchange_host(view):
        return RealVenue(url=endpoint(view, name).websocket_url, symbols=venue.symbols)
    if not feed.recording_sha256:
        return Market(seed=SEED, symbols=venue.symbols, frames_per_s=venue.frames_per_s)
    symbols = feed.brings(venue.symbols)
    return Recording(name=feed.recording_name, sha256=feed.recording_sha256, symbols=symbols, speed=feed.speed)
