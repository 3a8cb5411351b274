"""A window's course: rates by symbol, delays from first sight to first sight, and what was up when."""

import pytest

from himari.proof.accounts import Digest, ExchangeLedger, Gap, Held, Line, Sent, Window, Written
from himari.proof.course import JOURNALED, STORED, Course, course_of

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
WINDOW = Window(START, START + 20 * SECOND)
GAP = Gap("binance", "BTC/USDT", "depth", 5, 9, START + 2 * SECOND, START + 3 * SECOND, "reconnect")


def course(*, live: bool = False, window: Window = WINDOW) -> Course:
    """Ten trades a second of one symbol and one of another, on two lines; the first is journaled after 2 ms."""
    times = [(f"t|BTCUSDT|{n}", START + n * SECOND // 10) for n in range(200)]
    times += [(f"t|ETHUSDT|{n}", START + n * SECOND) for n in range(20)]
    sent = [Sent(key, "0" * 16, at + line * 500_000, line, "ws") for key, at in times for line in (0, 1)]
    held = [Held(key, "0" * 16, at + 2_000_000, "ws") for key, at in times]
    lines = [Line(0, START - SECOND), Line(1, START + SECOND, START + 11 * SECOND), Line(2, 1, 2)]
    files = [Written(at, at + 10 * SECOND - 1, at + 12 * SECOND) for at in (START, START + 10 * SECOND)]
    stored = Digest("edge", "parquet", START, START, 220, 0, held, [GAP], files=files)
    exchange = None if live else ExchangeLedger(START, START, lines, sent)
    return course_of(exchange, stored, stored, window, [GAP])


def test_rates_count_an_event_once_however_many_lines_brought_it() -> None:
    found = course()
    assert (found.step_ns, [len(rate.events) for rate in found.rates]) == (SECOND // 2, [40, 40])
    assert {rate.symbol: sum(rate.events) * found.step_ns / SECOND for rate in found.rates} == {
        "BTCUSDT": pytest.approx(200),
        "ETHUSDT": pytest.approx(20),
    }
    assert found.rates[0].symbol == "BTCUSDT"


def test_delays_are_those_of_the_first_sight() -> None:
    delays = {delay.way: delay for delay in course().delays}
    assert (delays[JOURNALED].p50, delays[JOURNALED].greatest) == (2.0, 2.0)
    assert delays[STORED].p50 == pytest.approx(7000, abs=200)
    assert delays[STORED].greatest == pytest.approx(11_998)
    assert None not in delays[JOURNALED].over


def test_a_venue_that_is_not_ours_tells_neither_lines_nor_when_it_sent() -> None:
    found = course(live=True)
    assert [delay.way for delay in found.delays] == [STORED]
    assert found.lines == []
    assert len(found.rates) == 2


def test_lines_are_cut_to_the_window_and_gaps_are_told() -> None:
    found = course()
    assert [(line.row, line.start_ns, line.end_ns) for line in found.lines] == [
        ("line 0", START, WINDOW.end_ns),
        ("line 1", START + SECOND, START + 11 * SECOND),
    ]
    assert [(gap.row, gap.says) for gap in found.gaps] == [
        ("gap in depth BTC/USDT", "reconnect: after 5, before 9"),
    ]


def test_a_part_of_a_step_at_the_end_is_left_out() -> None:
    found = course(window=Window(START, START + 20 * SECOND + SECOND // 4))
    assert len(found.rates[0].events) == 40


@pytest.mark.parametrize("seconds", [0, 1, 3600, 10**6])
def test_there_are_no_more_points_than_a_plot_shows(seconds: int) -> None:
    found = course(window=Window(START, START + seconds * SECOND))
    assert all(1 <= len(rate.events) <= 300 for rate in found.rates)
