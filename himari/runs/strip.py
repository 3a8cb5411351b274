"""Taking our things off hosts that go on existing: all of them at the same time, each by the agent there."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import msgspec

from himari.apply import bundle
from himari.apply.agent.wire import Activation, Failure, Strip, Stripped
from himari.apply.answer import read_answer
from himari.apply.waiting import STOPPING
from himari.catalog import hostpaths
from himari.runs.progress import Report
from himari.runs.put import Put
from himari.ssh import connection
from himari.stack.errors import DeployError, HimariError, HostError, StackFileError, together
from himari.stack.known import Known
from himari.stack.paths import StateDir

TIMEOUT_S = 600.0  # an activation that is still at work is waited for
KNOCK_S = 30.0

_T = TypeVar("_T")
Outcomes = Mapping[str, _T | HimariError]  # by host


def strip(stack_name: str, name: str, put: Put, known: Known, state: StateDir) -> Stripped:
    """Remove what was `put` on host `name`, and what goes with it.

    Raises HostError when it cannot be reached, DeployError when its agent could not do it."""
    keys = [hostpaths.WIREGUARD_PRIVATE_KEY, hostpaths.WIREGUARD_KEY_MADE] if known[name].wireguard_key_made else []
    folders = [folder for folder in hostpaths.OURS if folder != hostpaths.RUN]  # the agent clears its own away
    request = msgspec.json.encode(Strip(stack_name, in_order(put.units), list(put.files), keys, folders))
    there = connection.reach(name, known, state)
    # By a login of its own: it proves what guards wait for before they are disarmed there.
    stream = "".join(bundle.stream("strip", request)).encode()
    result = there.run(there.as_root(bundle.COMMAND), stream, timeout=TIMEOUT_S, fresh=True, apart=True)
    try:
        answer = read_answer(result.out.splitlines()[-1], Stripped)
    except (IndexError, msgspec.DecodeError):
        raise DeployError(f"our units could not be removed: {result.err.strip()}", name) from None
    if isinstance(answer, Failure):
        raise DeployError(f"our units could not be removed: {answer.what}", name, hint="; ".join(answer.lines))
    return answer


def in_order(units: Sequence[str]) -> list[str]:
    """Timers first, and what they have started: either would start again what was stopped before it."""
    timers = [unit for unit in units if unit.endswith(".timer")]
    started = [f"{timer.removesuffix('.timer')}.service" for timer in timers]
    return [*timers, *started, *(unit for unit in units if unit not in (*timers, *started))]


def at_once(names: Sequence[str], act: Callable[[str], _T], report: Report) -> Outcomes[_T]:
    """What `act` gives for each of `names`, or the failure that it met there. Any other error is raised at the end.

    Ctrl-C waits for all of them, and says so."""

    def settled(name: str) -> _T | HimariError:
        try:
            return act(name)
        except HimariError as error:
            return error

    with ThreadPoolExecutor(max(len(names), 1)) as pool:
        under_way = pool.map(settled, names)
        try:
            return dict(zip(names, under_way, strict=True))
        except KeyboardInterrupt:
            for name in names:
                report(name, STOPPING)
            raise


def refusal(failed: Sequence[HimariError], others: Sequence[str], argv: Sequence[str]) -> HimariError:
    """One error for all hosts that could not be stripped; an unreachable one decides its kind.

    `others` were stripped; `argv` is the command that the hint adds to."""
    failed = sorted(failed, key=lambda error: not isinstance(error, HostError))
    told = together(f"{len(failed)} hosts could not be stripped", failed)
    unreachable = [error.where for error in failed if isinstance(error, HostError)]
    given_up = shlex.join((*argv, *(word for name in unreachable for word in ("--gone", name))))
    soon = f"what an up that was cut off has shut out comes back within {Activation().guard_seconds} s: repeat it then"
    hints = (told.hint, f"{soon}; a host that is gone for good is given up by: {given_up}" if unreachable else "")
    stripped = f"; stripped all the same: {', '.join(others)}" if others else ""
    return type(told)(f"{told.what}{stripped}", told.where, told.expected, "; ".join(filter(None, hints)))


def refuse_answering(gone: Sequence[str], known: Known, state: StateDir, report: Report) -> None:
    """Raise StackFileError for those of `gone` that let us in: they are not gone, and would run on unseen."""

    def knock(name: str) -> None:
        report(name, "is said to be gone: knocks once more")
        connection.reach(name, known, state).run("true", timeout=KNOCK_S, fresh=True)

    answered = at_once(gone, knock, report)
    if here := [name for name, failure in answered.items() if failure is None]:
        what = f"{', '.join(here)} answered: not gone, so nothing was removed anywhere"
        without = "the same command without --gone for what answers"
        raise StackFileError(what, " ".join(f"--gone {name}" for name in here), "hosts that are gone for good", without)
