"""Reaching the stack's hosts by OpenSSH, over connections that are kept open between commands."""

import base64
import errno
import hashlib
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from shlex import join
from typing import IO, Any

import msgspec

from himari.catalog.accounts import DEPLOY_USER
from himari.catalog.root import as_root
from himari.stack.errors import HostError
from himari.stack.known import Known, KnownHost
from himari.stack.paths import StateDir

LOCAL = "local"  # the address of this machine: no ssh
FRESH = ("-o", "ControlMaster=no", "-o", "ControlPath=none")  # a login of its own, over no open connection
SSH_FAILED = 255  # ssh's own exit code when it could not get there


class Result(msgspec.Struct, frozen=True):
    """What a command on a host did."""

    code: int
    out: str
    err: str


class Reach(msgspec.Struct, frozen=True):
    """How to get at one host."""

    host_name: str
    known: KnownHost
    config: Path

    @property
    def is_local(self) -> bool:
        return self.known.address == LOCAL

    def as_root(self, command: str) -> str:
        """The shell text that runs the shell text `command` there with root's rights."""
        if not self.is_local:
            return as_root(command)
        return command if os.geteuid() == 0 else f"sudo -n {command}"

    def argv(self, command: str, options: Sequence[str] = ()) -> list[str]:
        """The command line that runs the shell text `command` there."""
        if self.is_local:
            return ["sh", "-c", command]
        return ["ssh", "-F", str(self.config), *options, self.host_name, command]

    def run(
        self,
        command: Sequence[str] | str,
        stdin: bytes | IO[bytes] | None = None,
        *,
        timeout: float | None = None,
        fresh: bool = False,
        apart: bool = False,
    ) -> Result:
        """Run an argument vector, or shell text, on the host as the deploy user; `apart` from the terminal's Ctrl-C.

        The command's own exit code is in the result; raises HostError when the host cannot be reached."""
        text = command if isinstance(command, str) else join(command)
        argv = self.argv(text, FRESH if fresh else ())
        group = 0 if apart else None
        given: dict[str, Any] = {"input": stdin or b""} if isinstance(stdin, bytes | None) else {"stdin": stdin}
        try:
            done = subprocess.run(argv, capture_output=True, timeout=timeout, check=False, process_group=group, **given)
        except subprocess.TimeoutExpired:
            what, expected = f"no answer within {timeout:.0f} s", "the end of what was asked of it"
            raise HostError(what, self.host_name, expected, "does it hang, and may we still reach it?") from None
        result = Result(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))
        if result.code == SSH_FAILED and not self.is_local:
            self.raise_unreachable(result.err)
        return result

    def raise_unreachable(self, said: str) -> None:
        """Raise the HostError that ssh's words `said` mean; a command that exited 255 by itself said nothing of ssh."""
        raise unreachable(self.host_name, self.known, said)


def reach(host_name: str, known: Known, state: StateDir) -> Reach:
    """How to get at `host_name`. Raises HostError when nothing is known of it yet.

    Raises PermissionError when ssh's configuration is another user's."""
    if host_name not in known:
        hint = f"himari up {state.path.name} makes first contact"
        raise HostError("nothing is known of this host yet", host_name, f"an entry in {state.hosts}", hint)
    config = state.ssh / "config"
    if config.exists() and not os.access(config, os.R_OK):
        # ssh's own words for it would read as those of a host that refuses the key.
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(config))
    _open_sockets(state)  # a reboot empties /run, and ssh makes no folders
    return Reach(host_name, known[host_name], config)


def run(
    host_name: str,
    command: Sequence[str] | str,
    *,
    known: Known,
    state: StateDir,
    stdin: bytes | IO[bytes] | None = None,
    timeout: float | None = None,
) -> Result:
    """Run `command` (argument vector or shell text) on a host of the stack; see `Reach.run`."""
    return reach(host_name, known, state).run(command, stdin, timeout=timeout)


def close(known: Known, state: StateDir) -> None:
    """End the connections that are kept open between commands, and remove their folder."""
    folder = sockets(state)
    for name in {*known, *(socket.name for socket in folder.glob("*"))}:  # also of hosts that are no longer noted
        if (folder / name).exists():
            argv = ["ssh", "-F", str(state.ssh / "config"), "-O", "exit", name]
            subprocess.run(argv, capture_output=True, check=False)
            (folder / name).unlink(missing_ok=True)
    if folder.exists():
        folder.rmdir()


def fingerprint(host_key: str) -> str:
    """`ssh-ed25519 AAAA...` as ssh prints it: SHA256:..."""
    digest = hashlib.sha256(base64.b64decode(host_key.split()[1])).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def unreachable(host_name: str, known: KnownHost, said: str) -> HostError:
    """What ssh's words mean for the operator."""
    last = said.strip().splitlines()[-1] if said.strip() else "the connection ended"
    address = f"{known.address}:{known.ssh_port}"
    if "Host key verification failed" in said or "IDENTIFICATION HAS CHANGED" in said:
        hint = "if the machine was reinstalled, remove it from hosts.json; if not, somebody is in between"
        return HostError("its ssh host key is not the pinned one", host_name, fingerprint(known.ssh_host_key), hint)
    if "Permission denied" in said:
        hint = "check [access] identity_file, and the host's bootstrap_user before first contact"
        return HostError(f"{address} refuses the operator's key", host_name, f"a login as {DEPLOY_USER}", hint)
    return HostError(
        f"{address} cannot be reached: {last}", host_name, "an ssh server", "is it up, and may we reach it?"
    )


def sockets(state: StateDir) -> Path:
    """The folder of the connections that are kept open."""
    # A socket's path has at most 108 characters, so it cannot lie below the state.
    base = Path("/run") if os.geteuid() == 0 else Path(os.environ.get("XDG_RUNTIME_DIR", tempfile.gettempdir()))
    mark = hashlib.sha256(str(state.path.resolve()).encode()).hexdigest()[:12]
    return base / f"himari-ssh-{os.geteuid()}-{mark}"


def _open_sockets(state: StateDir) -> None:
    folder = sockets(state)
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.geteuid():
        raise HostError(f"{folder} belongs to somebody else", expected="a folder of our own", hint="remove it")
