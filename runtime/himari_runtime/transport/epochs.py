"""The epoch file: a number that only grows, on disk before anything is journaled under it."""

from pathlib import Path

import msgspec

from himari_runtime.durable import replace_text
from himari_runtime.messages import START, Epoch, Position, Record
from himari_runtime.transport.segments import segments

FILE = "epoch"


def current(folder: Path) -> int:
    """The greatest epoch known from the file or from any segment's name; 0 in an empty journal."""
    try:
        written = int((folder / FILE).read_text())
    except (FileNotFoundError, ValueError):  # a damaged file still leaves the segments' names
        written = 0
    return max([written, *(segment.epoch for segment in segments(folder))])


def write(folder: Path, epoch: int) -> None:
    """Stores `epoch` so that it survives a power cut."""
    replace_text(folder / FILE, f"{epoch}\n")


def advance(folder: Path) -> int:
    """Takes the next epoch; returns it once it is on disk."""
    epoch = current(folder) + 1
    write(folder, epoch)
    return epoch


def lift(folder: Path, seen: int) -> None:
    """Lets the next start take an epoch above `seen`, which a buffer holds although this journal never wrote it."""
    if seen > current(folder):
        write(folder, seen)


def goes_on_from(record: Record) -> Position:
    """The last record before the epoch that `record` begins. A journal that knows of none, although there were epochs
    before, has lost whatever they held."""
    begun = msgspec.json.decode(record.payload, type=Epoch)
    previous = Position(begun.previous_epoch, begun.previous_n)
    return Position(record.epoch, 0) if previous == START and record.epoch > 1 else previous
