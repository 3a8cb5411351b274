"""Prices and quantities as whole hundred-millionths, so that nothing is ever rounded, and as the venue writes them."""

DECIMALS = 8
SCALE = 100_000_000


def units(text: str) -> int:
    """Read a decimal with at most eight places ("61837.63000000") as hundred-millionths.

    Raises ValueError for anything else."""
    whole, _, fraction = text.partition(".")
    if not whole.isdigit() or not (fraction or "0").isdigit() or len(fraction) > DECIMALS:
        raise ValueError(f"{text!r} is not a decimal with at most {DECIMALS} places")
    return int(whole + fraction.ljust(DECIMALS, "0"))


def decimal(amount: int) -> str:
    """Write hundred-millionths (not negative) as the venue does, always with eight places."""
    return f"{amount // SCALE}.{amount % SCALE:08d}"


def product(price: int, quantity: int) -> int:
    """What `quantity` costs at `price`, all in hundred-millionths, rounded down."""
    return price * quantity // SCALE
