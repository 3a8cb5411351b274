"""Replay of a tiny recording, typed by hand after the venue's documentation."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from himari_exchange.errors import RecordingError
from himari_exchange.replay import Replay

S = 1_000_000_000
RECORDED_NS = 1672515782_000_000_000
START_NS = 1_900_000_000 * S
FIRST_EVENT_MS = 1672515782136


def depth(first: int, last: int, event_ms: int, bids: str, asks: str) -> str:
    said = f'"e":"depthUpdate","E":{event_ms},"s":"BNBBTC","U":{first},"u":{last},"b":{bids},"a":{asks}'
    return f'{{"stream":"bnbbtc@depth@100ms","data":{{{said}}}}}'


TRADE = (
    '{"stream":"bnbbtc@trade","data":{"e":"trade","E":1672515782336,"s":"BNBBTC","t":12345,"p":"0.00240000",'
    '"q":"10.00000000","T":1672515782335,"m":true,"M":true}}'
)
TICKER = (
    '{"stream":"bnbbtc@bookTicker","data":{"u":160,"s":"BNBBTC","b":"0.00240000","B":"10.00000000",'
    '"a":"0.00260000","A":"100.00000000"}}'
)
SNAPSHOT = '{"lastUpdateId":158,"bids":[["0.00240000","5.00000000"]],"asks":[["0.00260000","100.00000000"]]}'
OLD = depth(150, 157, FIRST_EVENT_MS, '[["0.00230000","1.00000000"]]', "[]")
JOINS = depth(158, 160, FIRST_EVENT_MS + 100, '[["0.00240000","10.00000000"]]', '[["0.00260000","0.00000000"]]')
NEXT = depth(161, 162, FIRST_EVENT_MS + 2000, "[]", '[["0.00250000","7.00000000"]]')
LINES = [(0.0, OLD), (0.1, SNAPSHOT), (0.1, JOINS), (0.2, TRADE), (0.2, TICKER), (2.0, NEXT)]


def record(path: Path, lines: list[tuple[float, str]]) -> Path:
    with gzip.open(path, "wt") as file:
        file.writelines(f"{RECORDED_NS + round(after * S)} {text}\n" for after, text in lines)
    return path


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return record(tmp_path / "recording.gz", LINES)


def open_replay(recording: Path, speed: float = 1.0) -> Replay:
    return Replay(recording, speed=speed, note=recording.with_name("replay.json"))


def book(replay: Replay) -> Any:
    return json.loads(replay.instruments["BNBBTC"].book.snapshot(100))


def test_nothing_happens_before_somebody_subscribes(recording: Path) -> None:
    replay = open_replay(recording)
    assert replay.advance(START_NS) == []
    replay.begin(START_NS)
    assert len(replay.advance(START_NS)) == 1


def test_frames_are_byte_true_but_for_their_clocks(recording: Path) -> None:
    replay = open_replay(recording)
    replay.begin(START_NS)
    shift = START_NS // 1_000_000 - FIRST_EVENT_MS
    expected = [text for _, text in LINES if text != SNAPSHOT]
    for clock in (
        FIRST_EVENT_MS,
        FIRST_EVENT_MS + 100,
        FIRST_EVENT_MS + 199,
        FIRST_EVENT_MS + 200,
        FIRST_EVENT_MS + 2000,
    ):
        expected = [text.replace(f":{clock},", f":{clock + shift},") for text in expected]
    assert [frame.text(combined=True).decode() for frame in replay.advance(START_NS + 9 * S)] == expected


def test_microseconds_are_moved_by_the_same_time(tmp_path: Path) -> None:
    fine = TRADE.replace("1672515782336", "1672515782336123").replace("1672515782335", "1672515782335999")
    replay = open_replay(record(tmp_path / "r.gz", [(0, OLD), (0, fine)]))
    replay.begin(START_NS)
    said = json.loads(replay.advance(START_NS)[1].data)
    assert (said["E"], said["T"]) == (1_900_000_000_200_123, 1_900_000_000_199_999)


@pytest.mark.parametrize(
    ("speed", "after_s", "frames"), [(1, 0.05, 1), (1, 0.2, 4), (1, 2, 5), (20, 0.01, 4), (20, 0.1, 5)]
)
def test_keeps_the_pace(recording: Path, speed: float, after_s: float, frames: int) -> None:
    replay = open_replay(recording, speed)
    replay.begin(START_NS)
    assert len(replay.advance(START_NS + round(after_s * S))) == frames


def test_after_the_end_it_is_quiet(recording: Path) -> None:
    replay = open_replay(recording)
    replay.begin(START_NS)
    assert len(replay.advance(START_NS + 3 * S)) == 5
    assert replay.advance(START_NS + 9 * S) == []


def test_the_snapshot_is_the_recorded_one_until_its_id_is_reached(recording: Path) -> None:
    replay = open_replay(recording)
    recorded = json.loads(SNAPSHOT)
    assert book(replay) == recorded
    replay.begin(START_NS)
    replay.advance(START_NS)
    assert book(replay) == recorded


def test_the_snapshot_follows_the_replay(recording: Path) -> None:
    replay = open_replay(recording)
    replay.begin(START_NS)
    replay.advance(START_NS + S)
    assert book(replay) == {"lastUpdateId": 160, "bids": [["0.00240000", "10.00000000"]], "asks": []}
    replay.advance(START_NS + 2 * S)
    assert book(replay)["asks"] == [["0.00250000", "7.00000000"]]


def test_trades_and_listing_come_from_what_was_recorded(recording: Path) -> None:
    replay = open_replay(recording)
    instrument = replay.instruments["BNBBTC"]
    assert instrument.tape.trades_from(0, 10) == []
    replay.begin(START_NS)
    replay.advance(START_NS + S)
    (trade,) = instrument.tape.trades_from(0, 10)
    assert (trade.id, trade.time) == (12345, 1_900_000_000_199)
    assert (instrument.base, instrument.quote) == ("BNB", "BTC")


def test_a_restart_goes_on_where_it_would_be_by_now(recording: Path) -> None:
    first = open_replay(recording)
    first.begin(START_NS)
    told = first.advance(START_NS)
    again = open_replay(recording)
    assert again.resume(START_NS + S)
    again.begin(START_NS + S)
    assert book(again)["lastUpdateId"] == 160
    told += again.advance(START_NS + 2 * S)
    assert [frame.key for frame in told] == ["d|BNBBTC|150|157", "d|BNBBTC|161|162"]
    assert again.shift_ms == first.shift_ms


def test_another_recording_or_pace_starts_over(recording: Path, tmp_path: Path) -> None:
    open_replay(recording).begin(START_NS)
    other = record(tmp_path / "other.gz", LINES[:3])
    assert not open_replay(other).resume(START_NS)
    assert not open_replay(recording, speed=2).resume(START_NS)


@pytest.mark.parametrize(
    ("lines", "says", "at"),
    [
        ([(0, OLD), (0, "{")], "is not a frame", ":2"),
        ([(0, OLD.replace("bnbbtc@", "nonsense@"))], "is not a frame", ":1"),
        ([(0, TICKER)], "no frame has an event time", ""),
        ([(0, OLD), (0, SNAPSHOT), (0, OLD.replace("bnbbtc@", "ethbtc@"))], "whose the REST snapshot is", ""),
    ],
)
def test_says_what_is_wrong_with_a_recording(tmp_path: Path, lines: Any, says: str, at: str) -> None:
    path = record(tmp_path / "r.gz", lines)
    with pytest.raises(RecordingError, match=says) as raised:
        open_replay(path)
    assert raised.value.where == f"{path}{at}"


@pytest.mark.parametrize(
    "content",
    [b"", b"no gzip", gzip.compress(b"x y\n"), gzip.compress(b"1 {}\n" * 99)[:-9]],
    ids=["nothing", "no gzip", "no recording", "torn"],
)
def test_refuses_what_is_no_recording(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "r.gz"
    path.write_bytes(content)
    with pytest.raises(RecordingError):
        open_replay(path)


def test_refuses_a_recording_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="No such file"):
        open_replay(tmp_path / "r.gz")
