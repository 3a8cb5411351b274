"""What Binance spot says, as it says it: only the fields that are needed, prices and quantities left as text."""

from typing import Annotated

import msgspec

Id = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]
Level = tuple[str, str]  # price, quantity


class Identity(
    msgspec.Struct,
    frozen=True,
    gc=False,
    rename={"symbol": "s", "trade_id": "t", "first_id": "U", "last_id": "u"},
):
    """What names an event: `trade` has the second field, `depthUpdate` the last two, `bookTicker` the last. The rest is
    passed over, which is what makes this cheap. -1: not said."""

    symbol: str
    trade_id: Id = -1
    first_id: Id = -1
    last_id: Id = -1


class Identified(msgspec.Struct, frozen=True, gc=False):
    """A frame of a combined stream, read in one pass."""

    stream: str
    data: Identity


class DepthUpdate(msgspec.Struct, frozen=True, rename={"first_id": "U", "last_id": "u", "bids": "b", "asks": "a"}):
    """`depthUpdate`; the levels stay raw until a book wants them."""

    first_id: Id
    last_id: Id
    bids: msgspec.Raw
    asks: msgspec.Raw


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
