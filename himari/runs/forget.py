"""What this machine forgets of a stack once its hosts are gone."""

import shutil

from himari.apply.feed import feed_path
from himari.proof.baseline import BASELINE
from himari.runs.create import lab_hosts
from himari.runs.put import put_path
from himari.stack.model import Stack
from himari.stack.paths import StateDir

GONE = ".gone-"


def forget(stack: Stack, state: StateDir) -> list[str]:
    """Forget a lab's hosts, their secrets and how fast they were; those of machines that go on existing stay."""
    if not lab_hosts(stack):
        return []
    notes = (state.hosts, state.ssh, state.secrets, state.path / BASELINE, feed_path(state), put_path(state))
    known = [path for path in notes if path.exists()]
    _remove_gone(state)
    for path in known:  # renamed first: half a folder of secrets would be taken for whole
        path.rename(path.with_name(f"{GONE}{path.name}"))
    _remove_gone(state)
    return [f"this machine: {path.name}" for path in known]


def _remove_gone(state: StateDir) -> None:
    for path in state.path.glob(f"{GONE}*"):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
