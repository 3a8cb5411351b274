"""The first copy of an event goes on, whatever the order in which the lines bring it."""

import gc

from hypothesis import given
from hypothesis import strategies as st

from himari_runtime.messages import RENUMBERED_IDS, Channel, Kind, Record, Route, stream_of
from himari_runtime.transport.copies import FORGET_STEP, OTHERS_MOST, OTHERS_NS, Copies, TradeIds, shorten, thin
from himari_runtime.venues.own import route_own

SEQUENCED = {Channel.TRADE, Channel.DEPTH}


def record(kind: Kind = Kind.FRAME, at_ns: int = 0) -> Record:
    return Record(1, 5, kind, 1, at_ns, at_ns, b"payload")


def route(channel: Channel, first_id: int, last_id: int, symbol: str = "BTC/USDT") -> Route:
    return Route(stream_of("toy", symbol, channel), symbol, channel, first_id, last_id)


@given(st.lists(st.integers(100, 200), max_size=300))
def test_each_id_is_new_once_in_any_order(ids: list[int]) -> None:
    seen = TradeIds()
    assert [number for number in ids if seen.add(number)] == list(dict.fromkeys(ids))


@given(st.lists(st.integers(0, 10_000), max_size=300))
def test_what_is_remembered_is_bounded(ids: list[int]) -> None:
    seen = TradeIds(most=50)
    told = [seen.add(number) for number in ids]
    assert len(seen._missing) <= 50
    last = -1
    for index, number in enumerate(ids):
        if number not in ids[:index]:
            assert told[index]  # a first is never taken for a copy
        last = max(last, number)


def test_updates_are_told_by_both_ids_and_by_their_symbol() -> None:
    copies = Copies(SEQUENCED)
    told = [
        copies.is_copy(record(), route(Channel.DEPTH, *ids, symbol=symbol))
        for *ids, symbol in ((1, 4, "A/B"), (1, 4, "A/B"), (1, 5, "A/B"), (1, 4, "A/C"), (1, 5, "A/B"))
    ]
    assert told == [False, True, False, False, True]


def test_what_no_line_repeats_is_never_a_copy() -> None:
    copies = Copies(SEQUENCED)
    for _ in range(2):
        assert not copies.is_copy(record(Kind.REST), route(Channel.TRADE, 1, 1))
        assert not copies.is_copy(record(), route(Channel.UNPARSED, 0, 0))


def test_updates_are_forgotten_after_a_while() -> None:
    copies = Copies(SEQUENCED)
    for number in range(3):
        copies.is_copy(record(at_ns=number), route(Channel.DEPTH, number, number))
    for number in range(10, 10 + 2 * FORGET_STEP):
        copies.is_copy(record(at_ns=2 * OTHERS_NS), route(Channel.DEPTH, number, number))
    assert len(copies._others) == 2 * FORGET_STEP


def test_no_more_updates_are_remembered_than_there_is_room_for() -> None:
    copies = Copies(SEQUENCED)
    for number in range(OTHERS_MOST + 3 * FORGET_STEP):
        copies.is_copy(record(), route(Channel.DEPTH, number, number))
    assert len(copies._others) == OTHERS_MOST
    assert copies.is_copy(record(), route(Channel.DEPTH, 3 * FORGET_STEP, 3 * FORGET_STEP))
    assert not copies.is_copy(record(), route(Channel.DEPTH, 3 * FORGET_STEP - 1, 3 * FORGET_STEP - 1))


def test_what_is_remembered_is_nothing_that_the_garbage_collector_looks_through() -> None:
    copies = Copies(SEQUENCED)
    gc.collect()
    for number in range(3000):
        assert not copies.is_copy(record(), route(Channel.DEPTH, number, number + 1))
        assert not copies.is_copy(record(), route(Channel.TRADE, number, number))
    assert len(copies._others) == 3000
    held = [copies._others, *copies._others, *copies._others.values(), copies._numbers, *copies._numbers]
    assert not any(map(gc.is_tracked, held))


def test_a_shortened_copy_keeps_its_place() -> None:
    short = shorten(record(), route(Channel.DEPTH, 1, 4))
    assert (short.position, short.line, short.kind) == (record().position, 1, Kind.COPY)
    assert route_own("toy", short) == Route("md:toy:BTC/USDT:book", "BTC/USDT", Channel.COPY)


def test_a_chunk_carries_no_copies_but_its_last() -> None:
    run = [
        Record(1, n, kind, 0, n, n, b"")
        for n, kind in ((1, Kind.COPY), (2, Kind.FRAME), (3, Kind.COPY), (4, Kind.COPY))
    ]
    assert [record.n for record in thin(run)] == [2, 4]
    assert thin(run[:1]) == run[:1]


def test_ids_that_begin_anew_are_new_once() -> None:
    seen = TradeIds()
    assert [seen.add(number) for number in (RENUMBERED_IDS + 100, 7, 8, 7)] == [True, True, True, False]
