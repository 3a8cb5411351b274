"""A fault in words, as `himari lab ls` tells it."""

import pytest

from himari.lab.faults import Fault

SAID = {
    "cut edge -> brain": Fault(kind="cut", host="edge", peer="brain"),
    "loss edge -> brain 0.1 %": Fault(kind="loss", host="edge", peer="brain", value=0.1),
    "delay edge -> brain 25 ms": Fault(kind="delay", host="edge", peer="brain", value=25),
    "rate edge -> brain 12500000 B/s": Fault(kind="rate", host="edge", peer="brain", value=12_500_000),
    "fill-disk edge 0 B free": Fault(kind="fill-disk", host="edge"),
    "limit-memory edge 200000000 B": Fault(kind="limit-memory", host="edge", value=200_000_000),
    "hang edge": Fault(kind="hang", host="edge"),
}


@pytest.mark.parametrize("said", SAID)
def test_a_fault_says_what_where_and_how_much(said: str) -> None:
    assert str(SAID[said]) == said
