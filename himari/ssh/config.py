"""OpenSSH's configuration of a stack: one that every tool of the project shares, with the hosts' keys pinned."""

import errno
import os
from pathlib import Path

from himari.catalog.accounts import DEPLOY_USER
from himari.ssh.connection import LOCAL, sockets
from himari.stack.errors import MachineError
from himari.stack.known import Known, KnownHost
from himari.stack.model import Stack
from himari.stack.paths import StateDir

_COMMON = """\
Host *
  BatchMode yes
  IdentitiesOnly yes
  PasswordAuthentication no
  StrictHostKeyChecking yes
  UserKnownHostsFile {known_hosts}
  GlobalKnownHostsFile /dev/null
  UpdateHostKeys no
  ConnectTimeout 10
  ServerAliveInterval 5
  ServerAliveCountMax 6
  ControlMaster auto
  ControlPath {sockets}/%n
  ControlPersist 60
  LogLevel ERROR
"""


def write_config(stack: Stack, known: Known, state: StateDir, user: str = DEPLOY_USER) -> Path:
    """Write `config` and `known_hosts` below `state` for all hosts in `known`; the path of the former.

    `ssh -F` that file and a host's name is all that anybody needs to get there."""
    state.ssh.mkdir(parents=True, exist_ok=True, mode=0o700)
    remote = {name: host for name, host in known.items() if host.address != LOCAL}
    known_hosts = state.ssh / "known_hosts"
    _replace(known_hosts, "".join(_pin(name, host) for name, host in remote.items() if host.ssh_host_key))
    common = _COMMON.format(known_hosts=known_hosts, sockets=sockets(state))
    sections = [_section(name, host, user, identity(stack, state)) for name, host in remote.items()]
    _replace(state.ssh / "config", "".join((*sections, common)))
    return state.ssh / "config"


def identity(stack: Stack, state: StateDir) -> Path | None:
    """The operator's private key: the stack file's, or the lab's own; None leaves the choice to ssh."""
    if stack.access.identity_file:
        return Path(stack.access.identity_file).expanduser()
    own = state.ssh / "id_ed25519"
    return own if own.exists() else None


def operator_key(stack: Stack, state: StateDir) -> str:
    """The operator's public key, for users that log in; empty when every host is this machine.

    Raises MachineError when there is no key, PermissionError when it is another user's."""
    key = identity(stack, state)
    if key is None:
        candidates = [Path.home() / ".ssh" / name for name in ("id_ed25519", "id_ecdsa", "id_rsa")]
        key = next((path for path in candidates if path.exists()), None)
    public = Path(f"{key}.pub")
    if key is None or not public.exists():
        if all(host.address == LOCAL for host in stack.hosts.values()):
            return ""
        hint = "make one with `ssh-keygen -t ed25519`; a key elsewhere is named as identity_file below [access]"
        raise MachineError("no public key of the operator", str(public if key else "~/.ssh"), "an ssh key pair", hint)
    if key.exists() and not os.access(key, os.R_OK):
        # ssh's own words for it would read as those of a host that refuses the key.
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(key))
    return public.read_text(encoding="utf-8").strip()


def _section(name: str, host: KnownHost, user: str, key: Path | None) -> str:
    lines = [f"Host {name}", f"  HostName {host.address}", f"  Port {host.ssh_port}", f"  User {user}"]
    lines += [f"  IdentityFile {key}"] if key else []
    return "\n".join((*lines, ""))


def _pin(name: str, host: KnownHost) -> str:
    return f"{name},{host.address},[{host.address}]:{host.ssh_port} {host.ssh_host_key}\n"


def _replace(path: Path, text: str) -> None:
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    draft = path.with_suffix(".tmp")
    draft.write_text(text, encoding="utf-8")
    draft.chmod(0o600)
    draft.replace(path)
