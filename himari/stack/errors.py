"""What can go wrong, in the words that the operator needs: what failed, where, what was expected, what to do next."""

from collections.abc import Sequence
from typing import ClassVar

# Exit codes of endings that are no HimariError.
LEFT = 1  # something is left that was to be removed
FAULT = 70  # of ours: EX_SOFTWARE
INTERRUPTED = 130  # 128 + SIGINT


class HimariError(Exception):
    """A failure that is told without a traceback; `exit_code` is the command's."""

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, where: str = "", expected: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.expected = expected
        self.hint = hint

    def __str__(self) -> str:
        said = (self.where, self.what, self.expected and f"expected {self.expected}", self.hint)
        return ": ".join(part for part in said if part)


class StackFileError(HimariError):
    """The stack file (or another input) says something that cannot be meant."""

    exit_code = 2


class CapacityError(HimariError):
    """What the stack declares does not fit its hosts, disks or link."""

    exit_code = 3


class HostError(HimariError):
    """A host is unreachable, refuses us, or shows another key than the pinned one."""

    exit_code = 4


class MachineError(HimariError):
    """The operator's machine lacks something: root, a capability, a kernel feature, disk, a Python."""

    exit_code = 5


class DeployError(HimariError):
    """A host could not be brought to its declared state."""

    exit_code = 6


class ProofFailed(HimariError):  # noqa: N818  the proof ran; what it found is not an error of ours
    """Checks or the ledger's comparison failed."""

    exit_code = 7


class DriftFound(HimariError):  # noqa: N818  likewise
    """Hosts differ from the files."""

    exit_code = 8


class LockedError(HimariError):
    """Another run holds the stack."""

    exit_code = 9


def together(what: str, errors: Sequence[HimariError]) -> HimariError:
    """One error that tells all of `errors`, at least one, a line each below `what`; of the first one's kind."""
    if len(errors) == 1:
        return errors[0]
    lines = "".join(f"\n    {one.where}: {one.what}" for one in errors)
    wheres = ", ".join(one.where for one in errors)
    expected = "; ".join(dict.fromkeys(one.expected for one in errors if one.expected))
    hint = "; ".join(dict.fromkeys(one.hint for one in errors if one.hint))
    return type(errors[0])(f"{what}:{lines}", wheres, expected, hint)
