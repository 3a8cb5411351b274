import pytest
from hypothesis import given
from hypothesis import strategies as st

from himari_exchange.amounts import decimal, product, units


@given(st.integers(min_value=0, max_value=10**18))
def test_what_is_written_reads_back_the_same(amount: int) -> None:
    assert units(decimal(amount)) == amount


@pytest.mark.parametrize(("text", "amount"), [("61837.63000000", 6183763000000), ("0.00000001", 1), ("3", 300000000)])
def test_reads_the_venues_decimals(text: str, amount: int) -> None:
    assert units(text) == amount


@pytest.mark.parametrize("text", ["", "abc", "1.123456789", "1.2.3"])
def test_refuses_what_is_no_decimal(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        units(text)


def test_a_product_is_in_the_same_units() -> None:
    assert decimal(product(units("100.50000000"), units("0.02000000"))) == "2.01000000"
