"""pyinfra over OpenSSH: kept-open connections, the shared configuration, and no change of Python's own sockets.

pyinfra's ssh connector needs the whole process patched by gevent to serve hosts at the same time; ours hands the
waiting to threads."""

import contextlib
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import IO, Any

from pyinfra.api.command import StringCommand
from pyinfra.connectors.base import BaseConnector
from pyinfra.connectors.util import CommandOutput, OutputLine, make_unix_command_for_host

from himari.apply.waiting import offload
from himari.ssh.connection import SSH_FAILED, Reach

Listen = Callable[[str], None]  # gets each line that the agent says while it works


class OpenSsh(BaseConnector):
    """Runs each command through the `Reach` in the host's data; this machine's own commands without ssh."""

    handles_execution = True

    @staticmethod
    def make_names_data(name: str) -> Iterator[tuple[str, dict[str, Any], list[str]]]:
        yield name, {}, []

    def run_shell_command(
        self, command: StringCommand | str, print_output: bool = False, print_input: bool = False, **arguments: Any
    ) -> tuple[bool, CommandOutput]:
        """Run `command`; raises HostError when the host cannot be reached."""
        stdin = "".join(arguments.pop("_stdin", None) or ())
        for key in ("_get_pty", "_timeout", "_success_exit_codes"):
            arguments.pop(key, None)
        reach: Reach = self.host.data.get("himari_reach")
        text = command if isinstance(command, StringCommand) else StringCommand(command)
        unix = make_unix_command_for_host(self.state, self.host, text, **arguments).get_raw_value()
        listen = self.host.data.get("himari_listen") or _ignore
        code, out, err = offload(_converse, reach.argv(unix), stdin.encode(), listen)
        if code == SSH_FAILED and not reach.is_local:
            reach.raise_unreachable("\n".join(err))
        lines = [OutputLine("stdout", line) for line in out] + [OutputLine("stderr", line) for line in err]
        return code == 0, CommandOutput(lines)

    def put_file(self, *_: Any, **__: Any) -> bool:
        raise NotImplementedError("files travel in the activation's stream")

    get_file = put_file


def _converse(argv: list[str], stdin: bytes, listen: Listen) -> tuple[int, list[str], list[str]]:
    pipe = subprocess.PIPE
    # A group of its own: the terminal's Ctrl-C shall not cut a host off in the middle of a change.
    with (
        subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe, process_group=0) as process,
        ThreadPoolExecutor(1) as pool,
    ):
        # A command that ended before it read everything says why by its exit code.
        complaints = pool.submit(_hear, process.stderr or BytesIO(), listen)
        with contextlib.suppress(BrokenPipeError), process.stdin or BytesIO() as given:
            given.write(stdin)
        out = (process.stdout or BytesIO()).read()
        return process.wait(), out.decode(errors="replace").splitlines(), complaints.result()


def _hear(stream: IO[bytes], listen: Listen) -> list[str]:
    lines = []
    for raw in stream:
        line = raw.decode(errors="replace").rstrip("\n")
        if line.startswith("himari: "):
            listen(line.removeprefix("himari: "))
        else:
            lines.append(line)
    return lines


def _ignore(_: str) -> None:
    return
