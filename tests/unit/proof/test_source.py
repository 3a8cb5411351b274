import msgspec
import pytest

from himari.catalog.component import Feed
from himari.proof.source import Market, RealVenue, Recording, Source, source_of
from himari.stack.load import load_stack

REPLAYED = Feed(recording_sha256="ab" * 32, recording_name="spot.gz", symbols=("BTC/USDT",), speed=5.0)
LAB = load_stack("lab-edge")
SYMBOLS = LAB.venues["binance"].symbols


@pytest.mark.parametrize(
    ("stack", "feed", "kind", "says"),
    [
        ("lab-edge", Feed(), Market, f"makes up: {', '.join(SYMBOLS)}, 400 frames a second, seed 7"),
        ("lab-edge", REPLAYED, Recording, "spot.gz of BTC/USDT at 5 times its speed (sha256 abababababab...)"),
        ("lab-edge", Feed(live=True), RealVenue, "live at wss://stream.binance.com:9443: BTC/USDT"),
        ("vps-brain", Feed(), RealVenue, "live at wss://stream.binance.com:9443: BTC/USDT"),
    ],
    ids=["market", "recording", "live", "a stack without an exchange"],
)
def test_the_input_is_told_in_plain_words(stack: str, feed: Feed, kind: type[Source], says: str) -> None:
    source = source_of(load_stack(stack), feed)
    assert isinstance(source, kind)
    assert says in source.says


def test_a_recording_at_its_own_speed_says_so() -> None:
    source = source_of(LAB, msgspec.structs.replace(REPLAYED, speed=1.0))
    assert "at its own speed" in source.says


@pytest.mark.parametrize(
    ("feed", "keys"),
    [
        (Feed(), {"source": "seeded market", "seed": 7, "symbols": list(SYMBOLS), "frames_per_s": 400.0}),
        (
            REPLAYED,
            {"source": "recording", "name": "spot.gz", "sha256": "ab" * 32, "symbols": ["BTC/USDT"], "speed": 5.0},
        ),
        (
            Feed(live=True),
            {"source": "live", "url": "wss://stream.binance.com:9443", "symbols": list(SYMBOLS)},
        ),
    ],
    ids=["market", "recording", "live"],
)
def test_the_evidence_says_it_by_name(feed: Feed, keys: dict[str, object]) -> None:
    assert msgspec.json.decode(msgspec.json.encode(source_of(LAB, feed))) == keys
