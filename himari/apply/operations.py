"""pyinfra's operation: everything that differs on a host, in one stream and one activation."""

import time
from collections.abc import Generator
from typing import Any

import msgspec
from pyinfra import logger
from pyinfra.api.command import FunctionCommand, StringCommand
from pyinfra.api.host import Host
from pyinfra.api.operation import operation
from pyinfra.api.state import State

from himari.apply import bundle
from himari.apply.agent.wire import Activation, Failure, Report
from himari.apply.upload import upload
from himari.apply.waiting import offload
from himari.catalog.component import Artifact, Tree
from himari.ssh.connection import Reach
from himari.stack.errors import HimariError

_LOGIN_SECONDS = 15.0  # of one try
_TRYING = 0.5  # part of the guard's time: an answer that comes after the old state is back confirms nothing
_PAUSE_SECONDS = 0.3  # a server that reloads refuses for a moment


class Job(msgspec.Struct):
    """One activation of one host, and what came of it."""

    activation: Activation
    reach: Reach
    sudo: bool
    uploads: tuple[Artifact | Tree, ...] = ()
    python: str = ""
    report: Report | None = None
    error: HimariError | None = None

    @property
    def guarded(self) -> bool:
        """Whether it changes what could lock the operator out."""
        files, units = self.activation.files, self.activation.units
        return any(file.guarded for file in files) or any(unit.guarded for unit in units)

    def __repr__(self) -> str:
        return f"Job({self.reach.host_name})"


@operation()
def activate(job: Job) -> Generator[FunctionCommand, None, None]:
    """Bring the host to what `job` says; `job.report` tells what was done. No command when nothing differs."""
    if not job.activation.empty:
        yield FunctionCommand(_activate, (job,), {})


def _activate(state: State, host: Host, job: Job) -> bool:
    try:
        for each in job.uploads:
            offload(upload, each, job.python, job.reach)
        job.report = _send(host, job, "activate", msgspec.json.encode(job.activation))
        if job.report.token:
            job.report = _confirmed(job, job.report)
    except HimariError as error:
        job.error = error
        logger.error("%s%s", host.print_prefix, error)
        return False
    for line in (job.report.failure.what, *job.report.failure.lines) if job.report.failure else ():
        logger.error("%s%s", host.print_prefix, line)
    return job.report.failure is None


def _send(host: Host, job: Job, verb: str, request: bytes) -> Report:
    command = job.reach.as_root(bundle.COMMAND) if job.sudo else bundle.COMMAND
    arguments: dict[str, Any] = {"_stdin": bundle.stream(verb, request)}
    succeeded, output = host.run_shell_command(StringCommand(command), **arguments)
    if not succeeded or not output.stdout_lines:
        return Report([], Failure(verb, "the agent ended without an answer", output.stderr_lines[-15:]))
    try:
        return msgspec.json.decode(output.stdout_lines[-1], type=Report)
    except msgspec.DecodeError as error:
        return Report([], Failure(verb, f"not the answer of the agent: {error}", output.stdout_lines[-15:]))


def _confirmed(job: Job, report: Report) -> Report:
    return Report(report.changed, confirm(job.reach, job.sudo, report.token, job.activation.guard_seconds))


def confirm(reach: Reach, sudo: bool, token: str, guard_seconds: int) -> Failure | None:
    """Keep the guarded change `token`, by a login that uses no connection from before: only that proves the next one.

    What failed, if no login succeeded or the host has put the old state back already."""
    stream = "".join(bundle.stream("confirm", {"token": token})).encode()
    command = reach.as_root(bundle.COMMAND) if sudo else bundle.COMMAND
    deadline = time.monotonic() + guard_seconds * _TRYING
    while True:
        try:
            result = offload(_login, reach, command, stream)
            if result.code == 0:
                return msgspec.json.decode(result.out.splitlines()[-1], type=Report).failure
            said = result.err.splitlines()
        except HimariError as error:
            said = [str(error)]
        if time.monotonic() > deadline:
            break
        offload(time.sleep, _PAUSE_SECONDS)
    lines = [*said, f"the host puts the old state back {guard_seconds} s after the change"]
    return Failure("guard", "no fresh login succeeded after the guarded change", lines)


def _login(reach: Reach, command: str, stream: bytes) -> Any:
    return reach.run(command, stream, timeout=_LOGIN_SECONDS, fresh=True)
