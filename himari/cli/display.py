"""How a run's progress is shown: a live line per host on a terminal, plain lines everywhere else. Always on stderr."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from himari.runs.progress import Event, Listener, Phase

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

WHOLE = "-"  # stands for the step itself where an event names no host
# How a step ends: in plain lines, on a terminal, and the terminal's style.
ENDS = {
    Phase.GREEN: ("green", "ok", "green"),
    Phase.RED: ("RED", "RED", "bold red"),
    Phase.FAILED: ("FAILED", "FAILED", "bold red"),
}


@contextmanager
def progress() -> Iterator[Listener]:
    """A listener that shows events for the length of the block."""
    if sys.stderr.isatty():
        with _live() as listener:
            yield listener
    else:
        yield _plain


def _plain(event: Event) -> None:
    if event.phase is Phase.STARTED:
        line = f"{event.step}: started"
    elif event.phase in ENDS:
        # All lines of a failure are told when the command ends.
        says = _one_line(event.says).removesuffix(":") if event.phase is Phase.FAILED else event.says
        line = f"{event.step}: {ENDS[event.phase][0]} after {event.seconds:.1f} s{_dash(says)}"
    else:
        line = f"{event.step}: {event.host or WHOLE}: {event.says} ({event.seconds:.1f} s)"
    typer.echo(line, err=True)


def _dash(says: str) -> str:
    return f": {says}" if says else ""


class Board:
    """The lines of the step that runs: per host, when it began and what it said last."""

    def __init__(self) -> None:
        self.step = ""
        self.began = time.monotonic()
        self.hosts: dict[str, tuple[float, str]] = {}

    def take(self, event: Event) -> None:
        """Note one event."""
        if event.phase is Phase.STARTED:
            self.step, self.began, self.hosts = event.step, time.monotonic(), {}
        elif event.phase is Phase.SAYS:
            began = self.hosts.get(event.host, (time.monotonic(), ""))[0]
            self.hosts[event.host] = (began, event.says)
        else:
            self.step, self.hosts = "", {}

    def __rich__(self) -> "RenderableType":
        from rich.console import Group
        from rich.text import Text

        now = time.monotonic()
        lines = [f"...    {self.step:<13} {now - self.began:6.1f} s"] if self.step else []
        for host, (began, says) in self.hosts.items():
            lines.append(f"         {host or WHOLE:<11} {now - began:6.1f} s  {_one_line(says)}")
        return Group(*(Text(line, no_wrap=True, overflow="ellipsis") for line in lines))


@contextmanager
def _live() -> Iterator[Listener]:
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True, highlight=False, markup=False)
    board = Board()
    with Live(board, console=console, refresh_per_second=8, transient=True):

        def listen(event: Event) -> None:
            board.take(event)
            if event.phase in ENDS:
                _settle(console, event)

        yield listen


def _settle(console: "Console", event: Event) -> None:
    from rich.text import Text

    _, mark, style = ENDS[event.phase]
    line = Text.assemble((f"{mark:<6}", style), f" {event.step:<13} {event.seconds:6.1f} s  {_one_line(event.says)}")
    console.print(line, no_wrap=True, overflow="ellipsis")


def _one_line(says: str) -> str:
    return next(iter(says.splitlines()), "")
