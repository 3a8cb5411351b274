"""A stop ends by its own deadline, so that systemd has nothing to kill."""

import re
from pathlib import Path

import pytest

from himari_runtime.services import collector, consumer, segments

PROMISED_SECONDS = 5
TEMPLATES = Path(__file__).parents[4] / "templates"


@pytest.mark.parametrize(
    ("name", "drain_seconds"),
    [
        ("collector", collector.DRAIN_SECONDS),
        ("consumer", consumer.DRAIN_SECONDS),
        ("segments", segments.CLOSE_SECONDS),
    ],
)
def test_the_drain_ends_before_the_promise_and_the_promise_before_systemds_patience(
    name: str, drain_seconds: float
) -> None:
    unit = (TEMPLATES / f"{name}/etc/systemd/system/himari-{name}.service.j2").read_text()
    patience = re.search(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)
    assert patience is not None
    assert drain_seconds < PROMISED_SECONDS < int(patience[1])
