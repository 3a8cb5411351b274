"""What a run says while it goes. Runs emit events; whoever started the run decides how they are shown."""

import threading
import time
from collections.abc import Callable
from enum import StrEnum

import msgspec


class Phase(StrEnum):
    STARTED = "started"
    SAYS = "says"
    GREEN = "green"
    RED = "red"  # it came to its end, and what it found is bad
    FAILED = "failed"


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A step said something about a host, `seconds` after the step began. `host` is empty for the whole step."""

    step: str
    host: str
    says: str
    seconds: float
    phase: Phase = Phase.SAYS


Listener = Callable[[Event], None]
Report = Callable[[str, str], None]  # (host, says): what the lab, the deploy and the proof are given to report with


class Narrator:
    """Emits one step's events to a listener, one at a time, whichever thread they come from."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._lock = threading.Lock()

    def reporter(self, step: str) -> Report:
        """A function (host, says) for code that works on `step`."""
        started = time.monotonic()
        return lambda host, says: self.emit(step, host, says, time.monotonic() - started)

    def emit(self, step: str, host: str, says: str, seconds: float, phase: Phase = Phase.SAYS) -> None:
        """Pass one event on."""
        with self._lock:
            self._listener(Event(step=step, host=host, says=says, seconds=seconds, phase=phase))
