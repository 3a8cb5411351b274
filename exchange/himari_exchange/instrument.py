"""One symbol as the venue lists it: its book, its tape and the steps that its prices and quantities keep to."""

from himari_exchange.amounts import decimal
from himari_exchange.book import Book
from himari_exchange.tape import Tape

QUOTES = ("FDUSD", "USDT", "USDC", "TUSD", "BUSD", "BTC", "ETH", "BNB", "EUR", "TRY", "JPY", "BRL", "USD")


def split_symbol(symbol: str) -> tuple[str, str]:
    """Base and quote asset of `BTCUSDT`. Raises ValueError when the quote asset is not a known one."""
    if symbol.isalnum() and symbol == symbol.upper():
        for quote in QUOTES:
            if symbol.endswith(quote) and symbol != quote:
                return symbol.removesuffix(quote), quote
    raise ValueError(f"{symbol!r} is not a symbol in capitals that ends with one of {', '.join(QUOTES)}")


class Instrument:
    """A symbol with its state. `tick` and `lot` are in hundred-millionths."""

    __slots__ = ("base", "book", "lot", "quote", "symbol", "tape", "tick")

    def __init__(self, symbol: str, *, book: Book, tick: int, lot: int) -> None:
        self.symbol, self.book, self.tick, self.lot = symbol, book, tick, lot
        self.base, self.quote = split_symbol(symbol)
        self.tape = Tape()

    def listing(self) -> dict[str, object]:
        """What `exchangeInfo` says of it."""
        tick, lot = decimal(self.tick), decimal(self.lot)
        return {
            "symbol": self.symbol,
            "status": "TRADING",
            "baseAsset": self.base,
            "baseAssetPrecision": 8,
            "quoteAsset": self.quote,
            "quotePrecision": 8,
            "quoteAssetPrecision": 8,
            "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"],
            "icebergAllowed": True,
            "isSpotTradingAllowed": True,
            "isMarginTradingAllowed": False,
            "filters": [
                {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000.00000000", "tickSize": tick},
                {"filterType": "LOT_SIZE", "minQty": lot, "maxQty": "9000.00000000", "stepSize": lot},
            ],
            "permissions": [],
            "permissionSets": [["SPOT"]],
        }
