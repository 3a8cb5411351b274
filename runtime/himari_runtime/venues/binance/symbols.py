"""Unified symbols (BTC/USDT) and the venue's (BTCUSDT)."""

from functools import lru_cache

# Binance writes a pair without a separator: only the quote assets that it lists tell where the base ends.
QUOTES = (
    "USDT",
    "USDC",
    "FDUSD",
    "TUSD",
    "BUSD",
    "USDP",
    "USD1",
    "USDE",
    "RLUSD",
    "XUSD",
    "DAI",
    "PAX",
    "AEUR",
    "EURI",
    "EUR",
    "GBP",
    "AUD",
    "TRY",
    "BRL",
    "JPY",
    "ARS",
    "MXN",
    "COP",
    "PLN",
    "RON",
    "CZK",
    "UAH",
    "RUB",
    "NGN",
    "ZAR",
    "IDR",
    "IDRT",
    "BIDR",
    "BVND",
    "VAI",
    "UST",
    "BTC",
    "ETH",
    "BNB",
    "SOL",
    "XRP",
    "TRX",
    "DOGE",
    "DOT",
)
_LONGEST_FIRST = sorted(QUOTES, key=len, reverse=True)


def to_venue(symbol: str) -> str:
    """BTC/USDT -> BTCUSDT. Raises ValueError for what is not a unified symbol or would not be found again."""
    base, slash, quote = symbol.partition("/")
    if not (slash and _is_asset(base) and _is_asset(quote)):
        raise ValueError(f"{symbol}: not a unified symbol: expected BASE/QUOTE in capitals, such as BTC/USDT")
    if to_unified(base + quote) != symbol:
        raise ValueError(f"{symbol}: the quote asset is not known here: expected one of {' '.join(QUOTES)}")
    return base + quote


@lru_cache(maxsize=4096)
def to_unified(symbol: str) -> str | None:
    """BTCUSDT -> BTC/USDT; None where no known quote asset ends it."""
    if not _is_asset(symbol):
        return None
    for quote in _LONGEST_FIRST:
        if symbol.endswith(quote) and len(symbol) > len(quote):
            return f"{symbol.removesuffix(quote)}/{quote}"
    return None


def _is_asset(text: str) -> bool:
    return text.isascii() and text.isalnum() and text.upper() == text
