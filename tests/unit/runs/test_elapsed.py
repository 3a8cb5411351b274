"""A run's evidence knows the steps before it, from the journal that is being written."""

from pathlib import Path

from himari.runs.elapsed import steps_before
from himari.runs.journal import Finished, Journal, Started


def test_the_finished_steps_of_the_newest_journal_are_told(tmp_path: Path) -> None:
    with Journal.create(tmp_path, "up") as old:
        old.append(Started(at="2026-01-01T00:00:00.000+00:00", step="old"))
        old.append(Finished(at="2026-01-01T00:00:01.000+00:00", step="old", seconds=1.0))
    with Journal.create(tmp_path, "validate") as journal:
        journal.append(Started(at="2026-01-02T00:00:00.000+00:00", step="look"))
        journal.append(Finished(at="2026-01-02T00:00:02.500+00:00", step="look", seconds=2.5, error="bad"))
        journal.append(Started(at="2026-01-02T00:00:02.500+00:00", step="validate"))
        (found,) = steps_before(tmp_path)
    assert (found.row, found.end_ns - found.start_ns, found.bad) == ("look", 2_500_000_000, True)


def test_without_a_journal_there_are_none(tmp_path: Path) -> None:
    assert steps_before(tmp_path) == []
