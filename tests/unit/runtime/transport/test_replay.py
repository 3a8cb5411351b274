"""What a replay gives, record by record."""

import msgspec

from himari_runtime.messages import Channel, Epoch, Kind, Position, Record, Route
from himari_runtime.transport.replay import Replay
from himari_runtime.venues.own import route_own

SEQUENCED = {Channel.TRADE: True}


def route(record: Record) -> Route:
    if record.kind != Kind.FRAME:
        return route_own("toy", record)
    number = int(record.payload)
    return Route("md:toy:BTC/USDT:trades", "BTC/USDT", Channel.TRADE, number, number)


def trade(n: int, number: int, epoch: int = 1) -> Record:
    return Record(epoch, n, Kind.FRAME, 1, n, n, str(number).encode())


def begun(epoch: int, previous_epoch: int, previous_n: int) -> Record:
    message = Epoch(epoch=epoch, previous_epoch=previous_epoch, previous_n=previous_n)
    return Record(epoch, 1, Kind.EPOCH, 0, 1, 1, msgspec.json.encode(message))


def replayed(cursor: tuple[int, int], *records: Record) -> list[tuple[list[tuple[Position, int]], bool]]:
    runs = Replay(Position(*cursor), route, SEQUENCED).take(records)
    return [([(record.position, record.kind) for record in run.records], run.after_hole) for run in runs]


def test_what_precedes_the_cursor_tells_copies_and_is_not_given() -> None:
    assert replayed((1, 3), trade(2, 50), trade(3, 51), trade(4, 51), trade(5, 52)) == [
        ([((1, 4), Kind.COPY), ((1, 5), Kind.FRAME)], False)
    ]


def test_a_hole_begins_a_run() -> None:
    assert replayed((1, 3), trade(4, 1), trade(7, 4), trade(8, 5)) == [
        ([((1, 4), Kind.FRAME)], False),
        ([((1, 7), Kind.FRAME), ((1, 8), Kind.FRAME)], True),
    ]


def test_an_epoch_that_says_where_the_one_before_ended_is_no_hole() -> None:
    assert replayed((1, 3), begun(2, 1, 3), trade(2, 9, epoch=2))[0][1] is False


def test_an_epoch_that_lost_the_end_of_the_one_before_is_one() -> None:
    assert replayed((1, 3), begun(2, 1, 5))[0][1] is True
    assert replayed((1, 3), begun(3, 2, 1))[0][1] is True
    assert replayed((1, 3), trade(2, 9, epoch=2))[0][1] is True


def test_the_first_of_all_records_follows_nothing() -> None:
    assert replayed((0, 0), begun(1, 0, 0), trade(2, 1))[0][1] is False
    assert replayed((0, 0), trade(2, 1))[0][1] is True
