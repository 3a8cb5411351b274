"""What the proof and the runtime say independently of each other has to agree."""

import pytest

from himari.proof.gaps import DENSE
from himari_runtime.venues.registry import VENUES


@pytest.mark.parametrize("venue", VENUES)
def test_proof_and_runtime_agree_on_which_ids_are_dense(venue: str) -> None:
    assert {channel.value: dense for channel, dense in VENUES[venue].sequenced.items()} == DENSE
