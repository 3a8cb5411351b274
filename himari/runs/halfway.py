"""A stack that is half destroyed: known from the journals of its runs, and told before hosts are asked in vain."""

from collections.abc import Iterator

from himari.runs.create import CREATE
from himari.runs.journal import Closed, Finished, Line, Opened, ended_well, read_journal, stood_at
from himari.runs.lock import read_holder
from himari.stack.errors import LEFT, HostError
from himari.stack.paths import StateDir

DESTROY = "destroy"


def half_destroyed(state: StateDir) -> str:
    """When and where a destroy of the stack was cut off or left something, if nothing has been built since; else empty.

    While a run holds the stack it is not cut off yet."""
    if read_holder(state.lock):
        return ""
    lines = next(_decisive(state), [])
    opened = lines[0] if lines else None
    if not isinstance(opened, Opened) or opened.verb != DESTROY or ended_well(lines):
        return ""
    left = any(isinstance(line, Closed) and line.exit_code == LEFT for line in lines)
    how = "left something" if left else "was cut off"
    return f"half destroyed: `{opened.command}` of {opened.at} {how} at {stood_at(lines) or 'its beginning'}"


def refuse_half_destroyed(state: StateDir) -> None:
    """Raise HostError for a stack some of whose hosts may be gone."""
    if told := half_destroyed(state):
        raise HostError(f"the stack is {told}", str(state.path), "a whole stack", remedy(state))


def remedy(state: StateDir) -> str:
    name = state.path.name
    return f"himari destroy {name} finishes it; himari up {name} builds it again"


def _decisive(state: StateDir) -> Iterator[list[Line]]:
    """The runs that say what is there, the last one first: each destroy, and each `up` that came to make hosts."""
    for path in sorted(state.runs.glob("*.jsonl"), reverse=True):
        if path.stem.endswith(f"-{DESTROY}"):
            yield read_journal(path)
        elif path.stem.endswith("-up") and _has_made(lines := read_journal(path)):
            yield lines


def _has_made(lines: list[Line]) -> bool:
    return any(isinstance(line, Finished) and line.step == CREATE and not line.error for line in lines)
