"""A proof begins when data flows steadily; the edge's answers here are data."""

import json
from collections.abc import Sequence

import pytest

from himari.proof.settle import settle
from himari.stack.errors import HostError
from himari.stack.load import load_stack

SECOND = 1_000_000_000
NOW = 1_700_000_000 * SECOND
GAP = {
    "venue": "binance",
    "symbol": "BTC/USDT",
    "channel": "depth",
    "after_id": 1,
    "before_id": 9,
    "after_ns": NOW - 5 * SECOND,
    "before_ns": NOW - 2 * SECOND,
    "reason": "reconnect",
    "filled": False,
}


class Edge:
    """An edge whose digests are given, the last one for ever, and a brain that hears it after `silent` calls and has
    stored something after `empty` looks."""

    def __init__(self, *digests: dict[str, object], silent: int = 0, empty: int = 0) -> None:
        self.digests = list(digests)
        self.looks = 0
        self.silent = silent
        self.empty = empty

    def __call__(self, host: str, argv: Sequence[str]) -> bytes:
        if argv[0] == "ping":
            assert (host, argv[-1]) == ("brain", "10.77.0.1")
            self.silent -= 1
            if self.silent >= 0:
                raise HostError("ping ended with 1", host)
            return b""
        if argv[0] == "date":
            return str(NOW).encode()
        if "parquet" in argv:
            assert (host, argv[-4:]) == ("brain", ("--from-ns", str(NOW - 18 * SECOND), "--to-ns", str(NOW)))
            self.empty -= 1
            return json.dumps(digest() if self.empty >= 0 else STEADY).encode()
        assert host == "edge"
        self.looks += 1
        return json.dumps(self.digests.pop(0) if len(self.digests) > 1 else self.digests[0]).encode()


def digest(*ages_s: float, gaps: Sequence[object] = ()) -> dict[str, object]:
    times = [NOW - int(age * SECOND) for age in ages_s]
    return {
        "source": "edge",
        "where": "journal",
        "first_ns": min(times, default=None),
        "last_ns": max(times, default=None),
        "epochs": [1],
        "records": len(times),
        "duplicates": 0,
        "events": [[f"t|BTCUSDT|{n}", "0" * 16, at, "ws"] for n, at in enumerate(times)],
        "gaps": list(gaps),
        "unparsed": 0,
    }


STEADY = digest(2.9, 2.0, 1.0, 0.1)


def test_a_steady_flow_is_taken_at_the_first_look() -> None:
    edge, said = Edge(STEADY), list[str]()
    assert settle(load_stack("lab-edge"), edge, said.append)
    assert (edge.looks, said) == (1, [])


@pytest.mark.parametrize(
    "unsteady", [digest(), digest(0.5, 0.1), digest(2.9, 1.0, gaps=[GAP])], ids=["nothing", "just begun", "a gap"]
)
def test_it_waits_while_the_flow_is_not_steady(unsteady: dict[str, object]) -> None:
    edge, said = Edge(unsteady, unsteady, STEADY), list[str]()
    assert settle(load_stack("lab-edge"), edge, said.append)
    assert edge.looks == 3
    assert said == ["ledger: waiting for a steady flow"]


def test_a_flow_that_never_comes_is_told_and_does_not_hang() -> None:
    assert not settle(load_stack("lab-edge"), Edge(digest()), lambda _: None, patience_seconds=0)


def test_it_waits_until_the_brain_hears_the_edge() -> None:
    edge, said = Edge(STEADY, silent=2), list[str]()
    assert settle(load_stack("lab-edge"), edge, said.append)
    assert said == ["ledger: waiting for the tunnel"]


def test_a_tunnel_that_stays_silent_is_told_and_does_not_hang() -> None:
    assert not settle(load_stack("lab-edge"), Edge(STEADY, silent=99), lambda _: None, patience_seconds=0)


def test_it_waits_until_the_brain_has_stored_something_of_late() -> None:
    edge, said = Edge(STEADY, empty=2), list[str]()
    assert settle(load_stack("lab-edge"), edge, said.append)
    assert said == ["ledger: waiting for the brain's store"]
