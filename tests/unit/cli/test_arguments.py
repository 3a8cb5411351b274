"""Sizes as people type them."""

import pytest
import typer

from himari.cli.arguments import size


@pytest.mark.parametrize(
    ("text", "meant"), [("0", 0), ("1500", 1500), ("250K", 250_000), ("10m", 10**7), (" 2G ", 2 * 10**9)]
)
def test_a_size_may_have_a_unit(text: str, meant: int) -> None:
    assert size(text) == meant


@pytest.mark.parametrize("text", ["", "-1", "1.5G", "10 MB", "M", "1e6"])
def test_anything_else_is_refused_with_what_was_expected(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="expected a number of bytes"):
        size(text)
