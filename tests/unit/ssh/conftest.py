"""Hosts that were met, and a stack's state for what goes to them over ssh."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from himari.ssh.connection import close
from himari.stack.known import KnownHost
from himari.stack.paths import StateDir

HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHod+kpA9bahX8+KR5tMLymTtw11v6SljWvwDqkqNgFo"
KNOWN = {
    "edge": KnownHost(address="192.0.2.7", ssh_port=2222, ssh_host_key=HOST_KEY),
    "brain": KnownHost(address="local"),
}


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateDir]:
    """One whose path is long, as ssh bounds that of a control socket."""
    state = StateDir(tmp_path / "a-stack-with-a-long-name" / ("x" * 60))
    yield state
    close(KNOWN, state)
