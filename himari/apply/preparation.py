"""What hosts will need, made in the background while something else is done."""

from collections.abc import Iterable
from concurrent.futures import Future
from pathlib import Path
from threading import Thread
from typing import Self

from himari.apply.cache import Making, made
from himari.apply.tool import end_all
from himari.stack.errors import MachineError

_BEGUN: dict[Path, Future[Path]] = {}  # by a Preparation, and not over yet
_POLL_SECONDS = 0.1


def obtained(making: Making) -> Path:
    """The folder, made here unless a Preparation has begun with it. Raises MachineError, also for that one."""
    begun = _BEGUN.get(making.folder)
    return begun.result() if begun else made(making)


class Preparation:
    """Folders of the cache, made in the background.

    It ends with its `with` block, and pip and Maven with it. What goes wrong is told when a host needs the folder."""

    def __init__(self) -> None:
        self._begun: dict[Path, Future[Path]] = {}
        self._thread = Thread(target=self._make, name="preparation", daemon=True)
        self._wanted: list[Making] = []
        self._ended = False

    def begin(self, wanted: Iterable[Making]) -> None:
        """Make all `wanted`, each once, one after the other. May be called once."""
        self._wanted = list({making.folder: making for making in wanted}.values())
        self._begun = {making.folder: Future() for making in self._wanted}
        _BEGUN.update(self._begun)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = True
        while self._thread.is_alive():
            end_all()
            self._thread.join(_POLL_SECONDS)
        for folder in self._begun:
            _BEGUN.pop(folder, None)

    def _make(self) -> None:
        for making, begun in zip(self._wanted, self._begun.values(), strict=True):
            try:
                if self._ended:
                    raise MachineError("the run ended before this was made", making.kind)
                begun.set_result(made(making))
            except Exception as error:
                begun.set_exception(error)
