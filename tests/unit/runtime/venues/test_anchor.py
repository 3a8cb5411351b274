"""Snapshots and updates are brought together by their ids alone."""

from himari_runtime.venues.anchor import Anchor, Verdict


def test_a_snapshot_older_than_the_first_update_is_refused() -> None:
    anchor: Anchor[str] = Anchor()
    anchor.update(100, 110, "a")
    assert anchor.snapshot(99) is None
    assert anchor.snapshot(100) == [(100, 110, "a")]
    assert anchor.last_id == 110


def test_the_first_kept_update_contains_the_id_after_the_snapshot() -> None:
    anchor: Anchor[str] = Anchor()
    for first, last, name in ((100, 110, "a"), (111, 120, "b"), (121, 130, "c")):
        assert anchor.update(first, last, name) is Verdict.HELD
    assert anchor.snapshot(110) == [(111, 120, "b"), (121, 130, "c")]


def test_a_snapshot_ahead_of_the_updates_waits_for_the_one_that_follows_it() -> None:
    anchor: Anchor[str] = Anchor()
    anchor.update(100, 110, "a")
    assert anchor.snapshot(115) == []
    assert anchor.update(111, 115, "b") is Verdict.OLD
    assert anchor.update(116, 118, "c") is Verdict.APPLY
