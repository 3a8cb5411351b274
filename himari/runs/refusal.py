"""What the operator's machine refuses a run, in the operator's terms."""

import errno

from himari.stack.errors import MachineError

_MOVE = "HIMARI_STATE moves the stacks' state, HIMARI_CACHE images, wheels and trees"
_RIGHTS = ("the right to read and write it", f"run as the user who made it; {_MOVE}")
_ROOM = ("some free space", f"free some space, then run the same command again; {_MOVE}")
_REFUSALS = {
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
    errno.EROFS: _RIGHTS,
    errno.ENOTDIR: ("a folder", _MOVE),
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
}


def refusal(error: BaseException) -> MachineError | None:
    """The error that tells what this machine refused; None when `error` is none of its refusals."""
    if not isinstance(error, OSError) or error.errno not in _REFUSALS:
        return None
    expected, hint = _REFUSALS[error.errno]
    return MachineError(f"this machine refuses: {error.strerror}", str(error.filename or "a file"), expected, hint)
