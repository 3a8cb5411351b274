"""The live display: a line per host on a terminal, however narrow, and plain lines everywhere else."""

import io

import pytest
from rich.console import Console

from himari.cli.display import Board, progress
from himari.runs.progress import Event, Phase


def event(host: str, says: str, phase: Phase = Phase.SAYS) -> Event:
    return Event(step="day01_host", host=host, says=says, seconds=1.0, phase=phase)


def shown(board: Board, width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    console.print(board)
    text = console.file
    assert isinstance(text, io.StringIO)
    return text.getvalue().splitlines()


def test_each_host_has_one_line_with_its_time_and_its_last_words() -> None:
    board = Board()
    board.take(event("", "", Phase.STARTED))
    board.take(event("edge", "packages chrony"))
    board.take(event("brain", "boots"))
    board.take(event("edge", "unit " + "himari-collector.service " * 9 + "\nand a second line"))
    for width in (60, 80, 160):
        lines = shown(board, width)
        assert len(lines) == 3
        assert all(len(line) <= width for line in lines)
        assert "edge" in lines[1]
        assert "0.0 s  unit himari" in lines[1]
        assert "boots" in lines[2]


@pytest.mark.parametrize(
    ("phase", "line"),
    [
        (Phase.GREEN, "day01_host: green after 1.0 s: all holds"),
        (Phase.RED, "day01_host: RED after 1.0 s: all holds"),
        (Phase.FAILED, "day01_host: FAILED after 1.0 s: all holds"),
    ],
)
def test_the_end_of_a_step_is_one_verdict(capsys: pytest.CaptureFixture[str], phase: Phase, line: str) -> None:
    with progress() as listen:
        listen(event("", "all holds", phase))
    assert capsys.readouterr().err.splitlines() == [line]


def test_the_lines_of_a_failure_are_left_to_the_command_s_end(capsys: pytest.CaptureFixture[str]) -> None:
    with progress() as listen:
        listen(event("", "2 things are to be mended first:\n    one\n    two", Phase.FAILED))
    assert capsys.readouterr().err == "day01_host: FAILED after 1.0 s: 2 things are to be mended first\n"


def test_a_step_that_ended_leaves_no_line() -> None:
    board = Board()
    board.take(event("", "", Phase.STARTED))
    board.take(event("edge", "boots"))
    board.take(event("", "done", Phase.GREEN))
    assert shown(board, 80) == []
