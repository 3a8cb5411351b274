"""Ending the guards of a host before what they would put back is removed."""

import msgspec

from himari.apply import bundle
from himari.apply.agent.wire import Failure
from himari.apply.answer import read_answer
from himari.apply.ssh import Reach
from himari.stack.errors import DeployError


class _Disarmed(msgspec.Struct):
    disarmed: tuple[str, ...]


def disarm(reach: Reach) -> tuple[str, ...]:
    """Let every guarded change on the host stand; their tokens. No timer and no boot unit undoes anything after this.

    Raises HostError when the host cannot be reached, DeployError when it could not do it."""
    result = reach.run(reach.as_root(bundle.COMMAND), "".join(bundle.stream("disarm", {})).encode())
    if result.code or not result.out:
        said = result.err.strip() or "the agent ended without an answer"
        raise DeployError(f"its guards could not be disarmed: {said}", reach.host_name)
    answer = read_answer(result.out.splitlines()[-1], _Disarmed)
    if isinstance(answer, Failure):
        hint = "; ".join(answer.lines)
        raise DeployError(f"its guards could not be disarmed: {answer.what}", reach.host_name, hint=hint)
    return answer.disarmed
