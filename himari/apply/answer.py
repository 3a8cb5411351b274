"""What a host's agent answers, as a value or as the failure that it tells of."""

from typing import TypeVar

import msgspec

from himari.apply.agent.wire import Failure, State
from himari.stack.errors import DeployError

_T = TypeVar("_T")


class _Refused(msgspec.Struct):
    failure: Failure | None = None


def read_answer(line: str, kind: type[_T]) -> _T | Failure:
    """The answer in `line`, or the failure that the agent met. Raises msgspec.DecodeError when it is neither."""
    return msgspec.json.decode(line, type=_Refused).failure or msgspec.json.decode(line, type=kind)


def state_of(answer: State | Failure | None, host: str, hint: str = "") -> State:
    """The state that `host` answered. Raises DeployError when it failed to, or did not answer."""
    if isinstance(answer, State):
        return answer
    if answer is None:
        expected = "python3 from 3.9 on, and sudo that asks for no password and likes /etc/sudoers.d"
        raise DeployError("its state cannot be read", host, expected, hint)
    raise unread("its state", answer, host)


def unread(what: str, failure: Failure, host: str) -> DeployError:
    """The error for what a host could not tell: the file or command that stood in the way, and what to do."""
    return DeployError(f"{what} cannot be read: {failure.what}", host, hint="; ".join(failure.lines))
