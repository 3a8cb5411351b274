"""What went wrong, in words that name the file or the command; never a traceback of the agent's own."""

from __future__ import annotations

import traceback

from himari.apply.agent.command import StepError
from himari.apply.agent.wire import Failure


def failure(step: str, error: Exception) -> Failure:
    """What `error` means for the operator; for one that nobody foresaw, also where it arose."""
    if isinstance(error, StepError):
        return Failure(step, error.what, error.lines)
    if isinstance(error, OSError) and error.filename is not None:
        path = error.filename2 or error.filename  # of a rename: what stood in the way, not the draft
        moved = f"what Himari keeps for itself is made anew once it is gone: mv {path} {path}.bad"
        return Failure(step, f"{path}: {error.strerror}", [moved])
    if isinstance(error, LookupError):
        return Failure(step, str(error), [])
    last = traceback.extract_tb(error.__traceback__)[-1]
    return Failure(
        step, f"{type(error).__name__}: {error}", [f"{last.filename}:{last.lineno}: {last.line or last.name}"]
    )
