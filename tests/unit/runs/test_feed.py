import gzip
from pathlib import Path

import pytest

from himari.apply.feed import feed_path, write_feed
from himari.catalog.component import Feed
from himari.runs.feed import choose_feed, last_feed, other_input
from himari.stack.errors import StackFileError
from himari.stack.load import load_stack
from himari.stack.paths import StateDir


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "recording.gz"
    path.write_bytes(gzip.compress(b'1723161253937085768 {"stream":"btcusdt@trade","data":{}}\n'))
    return path


def test_nothing_asked_for_is_the_seeded_market() -> None:
    assert choose_feed(load_stack("lab-edge"), None, 1.0, live=False) == Feed()


def test_a_recording_is_named_by_its_content(recording: Path, tmp_path: Path) -> None:
    stack = load_stack("lab-edge")
    chosen = choose_feed(stack, recording, 4.0, live=False)
    copy = tmp_path / "copy.gz"
    copy.write_bytes(recording.read_bytes())
    assert choose_feed(stack, copy, 4.0, live=False).recording_path == chosen.recording_path
    assert chosen.recording_sha256 in chosen.recording_path
    assert chosen.recording_name == "recording.gz"
    assert chosen.speed == 4.0


def test_a_recording_brings_its_own_symbols_only(recording: Path) -> None:
    stack = load_stack("lab-edge")
    symbols = stack.venues["binance"].symbols
    assert choose_feed(stack, recording, 1.0, live=False).brings(symbols) == ("BTC/USDT",)
    assert Feed().brings(symbols) == symbols


def test_a_recording_of_other_symbols_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.gz"
    path.write_bytes(gzip.compress(b'1723161253937085768 {"stream":"dogeusdt@trade","data":{}}\n'))
    with pytest.raises(StackFileError, match="holds no symbol of stack lab-edge") as caught:
        choose_feed(load_stack("lab-edge"), path, 1.0, live=False)
    assert "dogeusdt" in caught.value.hint


def test_a_recording_that_breaks_off_is_refused(recording: Path) -> None:
    whole = gzip.compress(b'1723161253937085768 {"stream":"btcusdt@trade","data":{}}\n' * 9999)
    recording.write_bytes(whole[:-12])
    with pytest.raises(StackFileError, match="breaks off"):
        choose_feed(load_stack("lab-edge"), recording, 1.0, live=False)


def test_a_recording_needs_an_exchange(recording: Path) -> None:
    with pytest.raises(StackFileError, match="--recording needs an exchange host"):
        choose_feed(load_stack("vps-brain"), recording, 1.0, live=False)


def test_live_and_recording_contradict_each_other(recording: Path) -> None:
    with pytest.raises(StackFileError, match="contradict"):
        choose_feed(load_stack("lab-edge"), recording, 1.0, live=True)


@pytest.mark.parametrize("line", [b"{}\n", b"soon {}\n", b"1723161253937085768 {\n", b""])
def test_a_gzip_file_that_is_no_recording_is_refused(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "other.gz"
    path.write_bytes(gzip.compress(line))
    with pytest.raises(StackFileError, match="does not begin with a receive time and a frame"):
        choose_feed(load_stack("lab-edge"), path, 1.0, live=False)


def test_an_up_whose_input_is_another_says_which_and_which_it_was(recording: Path) -> None:
    stack = load_stack("lab-edge")
    replayed = choose_feed(stack, recording, 1.0, live=False)
    told = other_input(stack, replayed, Feed())
    assert told.startswith("the market that our exchange makes up: BTC/USDT")
    assert "until now it was the recording recording.gz of BTC/USDT" in told


def test_an_up_whose_input_is_the_last_one_s_or_the_first_says_nothing(recording: Path) -> None:
    stack = load_stack("lab-edge")
    replayed = choose_feed(stack, recording, 1.0, live=False)
    assert other_input(stack, replayed, replayed) == ""
    assert other_input(stack, None, Feed()) == ""


def test_a_last_input_that_is_spoiled_is_as_good_as_none(tmp_path: Path) -> None:
    state = StateDir(tmp_path / "lab-edge")
    assert last_feed(state) is None
    write_feed(state, Feed(live=True))
    assert last_feed(state) == Feed(live=True)
    feed_path(state).write_bytes(b"{")
    assert last_feed(state) is None
