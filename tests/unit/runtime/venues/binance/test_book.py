"""The local book equals a reference book, whatever the line does to the updates."""

import json
from decimal import Decimal
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from himari_runtime.venues.anchor import Verdict
from himari_runtime.venues.binance.book import Book
from himari_runtime.venues.binance.wire import Depth, DepthUpdate

Levels = list[tuple[str, str]]


def update(first_id: int, last_id: int, bids: Levels, asks: Levels) -> DepthUpdate:
    return msgspec.json.decode(json.dumps({"U": first_id, "u": last_id, "b": bids, "a": asks}), type=DepthUpdate)


def depth(last_id: int, bids: dict[str, str], asks: dict[str, str]) -> Depth:
    said = {"lastUpdateId": last_id, "bids": list(bids.items()), "asks": list(asks.items())}
    return msgspec.json.decode(json.dumps(said), type=Depth)


class Reference:
    """A market with every version of its book: numbers instead of text, one change an id."""

    def __init__(self, seed: int, changes: int) -> None:
        random = Random(seed)
        self.changes = [
            (
                random.choice(("b", "a")),
                f"{random.randrange(1, 12)}.50000000",
                random.choice(("0.00000000", "1.00000000", f"{random.random():.8f}")),
            )
            for _ in range(changes)
        ]

    def book(self, last_id: int) -> tuple[dict[str, str], dict[str, str]]:
        sides: dict[str, dict[str, str]] = {"b": {}, "a": {}}
        for side, price, quantity in self.changes[:last_id]:
            sides[side][price] = quantity
            if Decimal(quantity) == 0:
                del sides[side][price]
        return sides["b"], sides["a"]

    def updates(self, cuts: set[int]) -> list[DepthUpdate]:
        """Contiguous updates that end at `cuts` and at the last change; a price's last change in one stands for all."""
        ends = [*sorted(cuts), len(self.changes)]
        found, first = [], 1
        for end in ends:
            sides: dict[str, dict[str, str]] = {"b": {}, "a": {}}
            for side, price, quantity in self.changes[first - 1 : end]:
                sides[side][price] = quantity
            found.append(update(first, end, list(sides["b"].items()), list(sides["a"].items())))
            first = end + 1
        return found


@given(
    seed=st.integers(0, 10**6),
    cuts=st.sets(st.integers(1, 79)),
    repeats=st.lists(st.integers(0, 80), max_size=5),
    swaps=st.lists(st.integers(0, 80), max_size=4),
    drops=st.sets(st.integers(0, 80), max_size=3),
    fetch_every=st.integers(1, 7),
    behind=st.integers(0, 9),
)
def test_an_aligned_book_is_the_venues(
    *,
    seed: int,
    cuts: set[int],
    repeats: list[int],
    swaps: list[int],
    drops: set[int],
    fetch_every: int,
    behind: int,
) -> None:
    """Split, repeated, reordered, dropped: whenever the book says where it stands, it is the reference there."""
    market = Reference(seed, 80)
    sent = market.updates(cuts)
    line = [each for index, each in enumerate(sent) if index not in drops]
    for index in repeats:
        line.insert(index, line[min(index, len(line) - 1)]) if line else None
    for index in swaps:
        if index + 1 < len(line):
            line[index], line[index + 1] = line[index + 1], line[index]
    book = Book()
    for turn, each in enumerate(line):
        book.update(each)
        if book.last_id is None and turn % fetch_every == 0:
            at = max(0, each.last_id - behind)
            book.snapshot(depth(at, *market.book(at)))
        if book.last_id is not None:
            assert (book.bids, book.asks) == market.book(book.last_id)


@given(seed=st.integers(0, 10**6), cuts=st.sets(st.integers(1, 39)), at=st.integers(1, 40))
def test_any_snapshot_that_is_not_older_than_the_updates_leads_to_the_end(seed: int, cuts: set[int], at: int) -> None:
    market = Reference(seed, 40)
    book = Book()
    for each in market.updates(cuts):
        book.update(each)
    assert book.snapshot(depth(at, *market.book(at)))
    assert (book.last_id, (book.bids, book.asks)) == (40, market.book(40))


def test_a_gap_begins_the_book_again() -> None:
    book = Book()
    book.update(update(1, 2, [("1.0", "5.0")], []))
    assert book.snapshot(depth(2, {"1.0": "5.0"}, {}))
    assert book.update(update(4, 5, [("2.0", "1.0")], [])) is Verdict.GAP
    assert (book.last_id, book.bids) == (None, {})
    assert not book.snapshot(depth(3, {}, {}))
    assert book.snapshot(depth(4, {"1.0": "7.0"}, {}))
    assert book.bids == {"1.0": "7.0", "2.0": "1.0"}


def test_removing_an_unknown_level_is_normal() -> None:
    book = Book()
    book.update(update(1, 2, [], []))
    book.snapshot(depth(2, {}, {}))
    assert book.update(update(3, 3, [("9.00000000", "0.00000000")], [])) is Verdict.APPLY
    assert book.bids == {}


def test_levels_that_are_none_are_refused() -> None:
    book = Book()
    book.update(update(1, 2, [], []))
    book.snapshot(depth(2, {}, {}))
    with pytest.raises(msgspec.DecodeError):
        book.update(msgspec.json.decode(b'{"U":3,"u":3,"b":[[1,2]],"a":[]}', type=DepthUpdate))
