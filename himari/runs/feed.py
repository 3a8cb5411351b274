"""Where a stack's input comes from: what the options of `up` ask for."""

import gzip
import hashlib
import re
import zlib
from pathlib import Path

import msgspec

from himari.apply.feed import feed_path
from himari.catalog.component import Feed
from himari.proof.source import source_of
from himari.stack.errors import StackFileError
from himari.stack.model import Role, Stack
from himari.stack.notes import read_note
from himari.stack.paths import StateDir

STREAM = re.compile(rb'\d+ \{"stream":"([a-z0-9]+)@')


def choose_feed(stack: Stack, recording: Path | None, speed: float, live: bool) -> Feed:
    """The feed that the options of `up` ask for; the seeded market when there are none.

    Raises StackFileError when they contradict each other or the stack, or when `recording` is not a recording."""
    if recording is not None and live:
        raise StackFileError(what="--recording and --live contradict each other", expected="one of them", hint="")
    if recording is None:
        if speed != 1.0:
            raise StackFileError("--speed is a recording's", f"--speed {speed:g}", "--recording PATH beside it")
        return Feed(live=live)
    if not stack.hosts_with(Role.EXCHANGE):
        raise StackFileError(
            what="--recording needs an exchange host to replay it",
            where=f"stack {stack.name}",
            expected='a host with roles = ["exchange"]',
            hint="use a lab: himari up lab-edge --recording PATH",
        )
    check_recording(recording)
    with recording.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    symbols = _held_by(recording, stack)
    return Feed(recording_sha256=digest, recording_name=recording.name, symbols=symbols, speed=speed)


def last_feed(state: StateDir) -> Feed | None:
    """The feed of the last `up`; None before the first one, and when it is spoiled, as this one notes it anew."""
    try:
        return read_note(feed_path(state), Feed, "")
    except StackFileError:
        return None


def other_input(stack: Stack, last: Feed | None, now: Feed) -> str:
    """What an `up` says of its input when that is another than the last one's; else empty."""
    if last is None or last == now:
        return ""
    was = source_of(stack, last).says
    return f"{source_of(stack, now).says}; until now it was {was}. Each up takes its input from its own options"


def _held_by(recording: Path, stack: Stack) -> tuple[str, ...]:
    """The stack's symbols of which `recording` holds frames. Raises StackFileError when there are none."""
    named = {symbol.replace("/", "").lower(): symbol for one in stack.venues.values() for symbol in one.symbols}
    try:
        with gzip.open(recording) as lines:
            streams = {match[1].decode() for line in lines if (match := STREAM.match(line))}
    except (OSError, EOFError, zlib.error):
        raise _not_a_recording(recording, "breaks off before its end") from None
    found = tuple(symbol for name, symbol in named.items() if name in streams)
    if not found:
        raise StackFileError(
            what=f"the recording holds no symbol of stack {stack.name}",
            where=str(recording),
            expected=f"frames of {', '.join(named.values())}",
            hint=f"it holds {', '.join(sorted(streams)) or 'no frames'}: name them under [venues] as BASE/QUOTE",
        )
    return found


def check_recording(path: Path) -> None:
    """Raise StackFileError unless `path` is a gzip file whose first line is a receive time in ns and a frame."""
    try:
        with gzip.open(path) as lines:
            received, frame = lines.readline(1 << 24).split(b" ", 1)
        int(received)
        msgspec.json.decode(frame)
    except OSError as error:
        # gzip reports a file of another kind as an OSError without an errno.
        reason = f"cannot be read: {error.strerror}" if error.strerror else "is not a gzip file"
        raise _not_a_recording(path, reason) from None
    except (ValueError, EOFError, zlib.error):
        raise _not_a_recording(path, "does not begin with a receive time and a frame") from None


def _not_a_recording(path: Path, reason: str) -> StackFileError:
    return StackFileError(
        what=f"the recording {reason}",
        where=str(path),
        expected='gzip, one frame a line: "RECEIVED_NS {...}", as the venue sent it',
        hint="leave --recording away to run on the seeded market",
    )
