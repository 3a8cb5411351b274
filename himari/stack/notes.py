"""Reading what Himari itself has noted on the operator's machine, which a crash or a hand may have spoiled."""

from pathlib import Path
from typing import TypeVar

import msgspec

from himari.stack.errors import StackFileError

T = TypeVar("T")


def read_note(path: Path, kind: type[T], hint: str) -> T | None:
    """What `path` says; None when there is no such file. `hint` is what helps when it says something else.

    Raises StackFileError then, naming the file."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        return None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StackFileError(f"a note of Himari's own is spoiled: {error}", str(path), "what was noted", hint) from None
