"""How a command ends: its exit code, what is told of a failure, and Ctrl-C."""

import os
import signal
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

SAME_STOP_S = 1.0  # `timeout` and `make` signal a process and its group: one stop that arrives twice


def guarded(argv: Sequence[str], work: Callable[[], Any]) -> int:
    """Run `work` and turn whatever it raises into lines on stderr and an exit code."""
    stops = Stops()
    signal.signal(signal.SIGINT, stops.take)
    signal.signal(signal.SIGTERM, stops.take)
    try:
        return work() or 0
    except SystemExit:
        # Whoever read stdout has seen enough and went away: typer and rich silence it, and would end with a code.
        return 0
    except (Exception, KeyboardInterrupt) as error:
        from himari.cli.story import tell

        return tell(error, argv)


class Stops:
    """The first Ctrl-C (or SIGTERM) lets the run close its journal; a later one ends the process where it stands."""

    def __init__(self) -> None:
        self._first = 0.0

    def take(self, number: int, frame: FrameType | None) -> None:
        """A signal handler; raises KeyboardInterrupt at the first signal."""
        now = time.monotonic()
        if not self._first:
            self._first = now
            raise KeyboardInterrupt
        if now - self._first > SAME_STOP_S:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
