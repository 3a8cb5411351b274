"""The feed of the last `up`, kept in `.himari/STACK/feed.json` for all later verbs."""

from pathlib import Path

import msgspec

from himari.catalog.component import Feed
from himari.stack.notes import read_note
from himari.stack.paths import StateDir


def read_feed(state: StateDir) -> Feed:
    """The feed of the last `up`; the seeded market before the first one. Raises StackFileError when it is spoiled."""
    again = f"himari up {state.path.name}, with the options of the last one, notes it anew"
    return read_note(feed_path(state), Feed, again) or Feed()


def write_feed(state: StateDir, feed: Feed) -> None:
    """Keep `feed` for the verbs that come after `up`."""
    state.path.mkdir(parents=True, exist_ok=True)
    path = feed_path(state)
    draft = path.with_suffix(".tmp")
    draft.write_bytes(msgspec.json.encode(feed) + b"\n")
    draft.replace(path)


def feed_path(state: StateDir) -> Path:
    return state.path / "feed.json"
