"""The registry, and the primer that is part of the format."""

from hashlib import sha256

import pytest

from himari_runtime.messages import Kind, Record
from himari_runtime.venues import registry


def test_the_primer_never_changes() -> None:
    """Chunks in buffers and segments were written with these bytes: a better primer gets a new version."""
    assert (
        sha256(registry.primer("binance")).hexdigest()
        == "90623026edeb55c409d867b8b36a41b218fc83f9adba653faf9f891d4927d8f0"
    )


def test_an_unknown_venue_is_named_with_those_that_there_are() -> None:
    with pytest.raises(registry.UnknownVenueError, match="bitfoo: not known: expected one of binance"):
        registry.route("bitfoo", Record(1, 1, Kind.EPOCH, 0, 0, 0, b""))
