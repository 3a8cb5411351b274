from pathlib import Path

import pytest

from himari.apply.feed import feed_path, read_feed, write_feed
from himari.catalog.component import Feed
from himari.stack.errors import StackFileError
from himari.stack.paths import StateDir


def test_the_feed_of_the_last_up_is_kept(tmp_path: Path) -> None:
    state = StateDir(tmp_path / "lab-edge")
    assert read_feed(state) == Feed()
    write_feed(state, Feed(recording_sha256="ab", speed=2.0))
    assert read_feed(state) == Feed(recording_sha256="ab", speed=2.0)
    assert [path.name for path in state.path.iterdir()] == ["feed.json"]


def test_a_spoiled_note_is_no_seeded_market(tmp_path: Path) -> None:
    state = StateDir(tmp_path / "lab-edge")
    write_feed(state, Feed(live=True))
    feed_path(state).write_bytes(b"{")
    with pytest.raises(StackFileError) as told:
        read_feed(state)
    assert told.value.where == str(feed_path(state))
    assert "himari up lab-edge" in told.value.hint
