import gzip
from pathlib import Path

import pytest

from himari.catalog.component import Feed
from himari.runs.feed import choose_feed
from himari.stack.errors import StackFileError
from himari.stack.load import load_stack


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
    assert choose_feed(stack, copy, 4.0, live=False) == chosen
    assert chosen.recording_sha256 in chosen.recording_path
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
