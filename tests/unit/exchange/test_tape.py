from himari_exchange.amounts import SCALE
from himari_exchange.tape import KEPT, MINUTE_MS, SLACK, Tape, Trade


def trade(number: int, *, price: int = 100, at_ms: int = 0, maker: bool = True) -> Trade:
    return Trade(number, price * SCALE, 2 * SCALE, at_ms, maker)


def test_keeps_at_least_the_last_hundred_thousand_trades() -> None:
    tape = Tape()
    for number in range(KEPT + SLACK + 5):
        tape.add(trade(number))
    newest = tape.trades_from(None, 1)[0].id
    oldest = tape.trades_from(0, 1)[0].id
    assert newest == KEPT + SLACK + 4
    assert KEPT <= newest - oldest + 1 <= KEPT + SLACK


def test_answers_from_an_id_on_even_if_that_id_never_was() -> None:
    tape = Tape()
    for number in (10, 11, 20, 21):
        tape.add(trade(number, maker=number == 20))
    assert tape.trades_from(12, 2) == [trade(20, maker=True), trade(21, maker=False)]
    assert tape.trades_from(22, 5) == []
    assert [one.id for one in tape.trades_from(None, 3)] == [11, 20, 21]


def test_a_candle_sums_up_its_minute() -> None:
    tape = Tape()
    for number, (price, maker) in enumerate([(100, True), (120, False), (90, True), (110, False)]):
        tape.add(trade(number, price=price, at_ms=MINUTE_MS + number, maker=maker))
    (candle,) = tape.candles(MINUTE_MS + 10, None, None, 10)
    prices = ["100.00000000", "120.00000000", "90.00000000", "110.00000000"]
    volumes = ["8.00000000", 119_999, "840.00000000", 4, "4.00000000", "460.00000000", "0"]
    assert candle.row() == [60_000, *prices, *volumes]


def test_quiet_minutes_are_flat() -> None:
    tape = Tape()
    tape.add(trade(1, price=100, at_ms=0))
    tape.add(trade(2, price=130, at_ms=3 * MINUTE_MS))
    rows = [candle.row() for candle in tape.candles(4 * MINUTE_MS, None, None, 10)]
    assert [row[0] for row in rows] == [0, 60_000, 120_000, 180_000, 240_000]
    assert [row[8] for row in rows] == [1, 0, 0, 1, 0]
    assert [row[4] for row in rows] == ["100.00000000"] * 3 + ["130.00000000"] * 2


def test_candles_can_be_asked_for_by_time() -> None:
    tape = Tape()
    tape.add(trade(1, at_ms=0))
    starts = [candle.start_ms for candle in tape.candles(9 * MINUTE_MS, 2 * MINUTE_MS, 5 * MINUTE_MS, 3)]
    assert starts == [2 * MINUTE_MS, 3 * MINUTE_MS, 4 * MINUTE_MS]


def test_a_silence_longer_than_what_is_kept_costs_no_more_than_that() -> None:
    tape = Tape()
    tape.add(trade(1, at_ms=0))
    assert len(tape.candles(10**9 * MINUTE_MS, None, None, 10_000)) <= 1500
