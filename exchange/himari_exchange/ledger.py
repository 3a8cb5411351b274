"""The ledger: every frame that was sent, on which line and when, in append-only files.

A file is text, one entry a line; every entry is written before what it tells of is sent, so a killed simulator leaves
at most one torn last line, which readers ignore:

    start NS                    a simulator began; lines still open belonged to the one before
    open NS LINE                also repeated at the head of each file for the lines that are open
    close NS LINE
    order NS {"name": ...}
    NS LINE ws|rest KEY DIGEST  an event"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from time import time_ns

import msgspec

from himari_exchange.amounts import decimal
from himari_exchange.frames import Frame, digest, trade_content, trade_key
from himari_exchange.tape import Trade

FILES = 16  # so that dropping the oldest drops little


class Ledger:
    """Writes below `folder`, at most `max_bytes` in all: beyond that the oldest files go."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        """Starts a file of its own, as the last one may be torn. Raises OSError when the folder cannot be written."""
        self._folder, self._max_bytes = folder, max_bytes
        self._file_bytes = max_bytes // FILES
        folder.mkdir(parents=True, exist_ok=True)
        self._last_line = max(_lines_named(folder), default=0)
        self._open: dict[int, int] = {}
        self._file = -1
        self._size = 0
        self._roll([f"start {time_ns()}\n"])

    def open_line(self) -> int:
        """Note a new line; its number grows over restarts."""
        self._last_line += 1
        self._open[self._last_line] = time_ns()
        self._write([f"open {self._open[self._last_line]} {self._last_line}\n"])
        return self._last_line

    def close_line(self, line: int) -> None:
        if self._open.pop(line, None) is not None:
            self._write([f"close {time_ns()} {line}\n"])

    def order(self, order: msgspec.Struct, lines: Sequence[int]) -> None:
        """Note an order and the lines that it was given to."""
        said = msgspec.json.encode({**msgspec.to_builtins(order), "lines": list(lines)}).decode()
        self._write([f"order {time_ns()} {said}\n"])

    def sent(self, line: int, frames: Iterable[Frame]) -> None:
        """Note frames that are about to be handed to the line's socket; those without a key are no events."""
        head = f"{time_ns()} {line} ws "
        self._write([f"{head}{frame.entry()}\n" for frame in frames if frame.key])

    def served(self, symbol: str, trades: Iterable[Trade]) -> None:
        """Note trades that are about to be answered over REST."""
        head = f"{time_ns()} 0 rest "
        self._write([f"{head}{trade_key(symbol, trade.id)} {digest(_content(trade))}\n" for trade in trades])

    def close(self) -> None:
        for line in tuple(self._open):
            self.close_line(line)
        os.close(self._file)

    def _write(self, entries: list[str]) -> None:
        if not entries:
            return
        if self._size > self._file_bytes:
            self._roll([])
        written = "".join(entries).encode()
        self._size += len(written)
        while written:
            written = written[os.write(self._file, written) :]

    def _roll(self, head: list[str]) -> None:
        """Go on in a new file, which says by itself which lines are open and what the last number was."""
        if self._file >= 0:
            os.close(self._file)
        start_ns = max([time_ns(), *(file_start_ns(path) + 1 for path in ledger_files(self._folder)[-1:])])
        path = self._folder / f"{start_ns:020d}-{self._last_line}.ledger"
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o640)
        self._size = 0
        self._write([*head, *(f"open {opened_ns} {line}\n" for line, opened_ns in self._open.items())])
        self._drop_oldest()

    def _drop_oldest(self) -> None:
        kept = 0
        for path in reversed(ledger_files(self._folder)):
            kept += path.stat().st_size
            if kept > self._max_bytes - self._file_bytes:
                path.unlink()


def ledger_files(folder: Path) -> list[Path]:
    """The ledger's files, oldest first; a name starts with the time of the file's first entry."""
    return sorted(folder.glob("*.ledger"))


def file_start_ns(path: Path) -> int:
    return int(path.name.partition("-")[0])


def _lines_named(folder: Path) -> Iterable[int]:
    """The highest line number before the newest file, and those that it opened."""
    for path in ledger_files(folder)[-1:]:
        yield int(path.stem.partition("-")[2])
        with path.open() as file:
            yield from (int(entry.split()[2]) for entry in file if entry.startswith("open ") and entry.endswith("\n"))


def _content(trade: Trade) -> bytes:
    price, quantity = decimal(trade.price), decimal(trade.quantity)
    return trade_content(price, quantity, trade.time, buyer_is_maker=trade.buyer_is_maker)
