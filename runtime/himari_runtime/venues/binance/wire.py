"""What Binance spot says, as it says it: only the fields that are needed, prices and quantities left as text."""

from typing import Annotated

import msgspec

Id = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]
Level = tuple[str, str]  # price, quantity


class Combined(msgspec.Struct, frozen=True, gc=False):
    """The wrapper of every frame of a combined stream."""

    stream: str
    data: msgspec.Raw


class Trade(msgspec.Struct, frozen=True, gc=False, rename={"symbol": "s", "id": "t"}):
    """`trade`, without its content."""

    symbol: str
    id: Id


class DepthRange(msgspec.Struct, frozen=True, gc=False, rename={"symbol": "s", "first_id": "U", "last_id": "u"}):
    """`depthUpdate`, without its levels."""

    symbol: str
    first_id: Id
    last_id: Id


class DepthUpdate(msgspec.Struct, frozen=True, rename={"first_id": "U", "last_id": "u", "bids": "b", "asks": "a"}):
    """`depthUpdate`; the levels stay raw until a book wants them."""

    first_id: Id
    last_id: Id
    bids: msgspec.Raw
    asks: msgspec.Raw


class BookTicker(msgspec.Struct, frozen=True, gc=False, rename={"symbol": "s", "id": "u"}):
    """`bookTicker`, without its content."""

    symbol: str
    id: Id


class Timed(msgspec.Struct, frozen=True, gc=False, rename={"time": "E"}):
    """The venue's own time of an event, in ms; 0 where it gives none."""

    time: int = 0


class Notice(msgspec.Struct, frozen=True, gc=False, rename={"event": "e"}):
    """A frame that belongs to no stream, such as `serverShutdown`."""

    event: str


class Depth(msgspec.Struct, frozen=True, rename="camel"):
    """A book by REST; the levels stay raw until a book wants them."""

    last_update_id: Id
    bids: msgspec.Raw
    asks: msgspec.Raw


class TradeId(msgspec.Struct, frozen=True, gc=False):
    """One trade by REST, without its content."""

    id: Id


class ServerTime(msgspec.Struct, frozen=True, rename="camel"):
    """`/api/v3/time`, in ms."""

    server_time: int


class Refusal(msgspec.Struct, frozen=True):
    """The body of an error answer."""

    code: int
    msg: str


class Reply(msgspec.Struct, frozen=True):
    """The answer to a request on a line; without an error it was carried out."""

    id: int
    error: Refusal | None = None
