"""A frame on its way out, and how the ledger knows it again."""

from hashlib import blake2b

from himari_exchange.tape import Trade

DIGEST_BYTES = 8


class Frame:
    """One message of one stream. `data` is the payload as sent; `key` is empty for what is not an event."""

    __slots__ = ("_combined", "_entry", "_judged", "data", "key", "stream")

    def __init__(self, stream: str, data: bytes, key: str = "", judged: bytes | None = None) -> None:
        self.stream, self.data, self.key = stream, data, key
        self._judged = data if judged is None else judged
        self._combined: bytes | None = None
        self._entry: str | None = None

    def text(self, *, combined: bool) -> bytes:
        """What goes over the wire, with or without the wrapper of combined streams."""
        if not combined:
            return self.data
        if self._combined is None:
            self._combined = b'{"stream":"%b","data":%b}' % (self.stream.encode(), self.data)
        return self._combined

    def entry(self) -> str:
        """Key and content digest, as the ledger writes them."""
        if self._entry is None:
            self._entry = f"{self.key} {digest(self._judged)}"
        return self._entry


def digest(content: bytes) -> str:
    """Eight bytes of BLAKE2b, in hex."""
    return blake2b(content, digest_size=DIGEST_BYTES).hexdigest()


def trade_key(symbol: str, trade_id: int) -> str:
    return f"t|{symbol}|{trade_id}"


def trade_content(price: str, quantity: str, time: int, *, buyer_is_maker: bool) -> bytes:
    """What makes two copies of a trade equal, whichever way they came."""
    return f"{price}|{quantity}|{time}|{int(buyer_is_maker)}".encode()


def trade_frame(symbol: str, trade: Trade, price: str, quantity: str, data: bytes) -> Frame:
    """The frame of `trade`, whose payload is `data`."""
    judged = trade_content(price, quantity, trade.time, buyer_is_maker=trade.buyer_is_maker)
    return Frame(f"{symbol.lower()}@trade", data, trade_key(symbol, trade.id), judged)


def depth_frame(symbol: str, stream: str, first_id: int, last_id: int, data: bytes) -> Frame:
    """The frame of a diff that covers the update ids [first_id, last_id]."""
    return Frame(stream, data, f"d|{symbol}|{first_id}|{last_id}")


def ticker_frame(symbol: str, update_id: int, data: bytes) -> Frame:
    """The frame of a new best bid or ask."""
    return Frame(f"{symbol.lower()}@bookTicker", data, f"b|{symbol}|{update_id}")
