"""The hosts of a stack over testinfra's backends: one shared ssh connection a host, or this machine itself."""

import os
import shlex
import subprocess
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import testinfra  # type: ignore[import-untyped]  # it ships no types
from testinfra.host import Host  # type: ignore[import-untyped]  # likewise

from himari.catalog.root import as_root
from himari.proof.probe import PROBE_SECONDS
from himari.stack.errors import HostError
from himari.stack.known import Known
from himari.stack.model import Stack
from himari.stack.network import public_address

CONNECT_SECONDS = 10


class Remote:
    """Runs commands as root on the hosts of `stack`; counts them, as a probe shall cost one."""

    def __init__(self, stack: Stack, known: Known, ssh_config: Path) -> None:
        self._local = frozenset(name for name in stack.hosts if public_address(stack, known, name) == "local")
        self._ssh_config = ssh_config
        self._hosts: dict[str, Host] = {}
        self.commands: Counter[str] = Counter()

    def host(self, name: str) -> Host:
        """testinfra's view of a host, for checks that need more than the probe says."""
        if name not in self._hosts:
            spec = "local://" if name in self._local else f"ssh://{name}"
            options = {} if name in self._local else {"ssh_config": str(self._ssh_config), "timeout": CONNECT_SECONDS}
            self._hosts[name] = testinfra.get_host(spec, **options)
        return self._hosts[name]

    def __call__(self, host: str, argv: Sequence[str]) -> bytes:
        """Standard output of `argv`, run as root. Raises HostError: not reached, or the command failed."""
        self.commands[host] += 1
        line = shlex.join(argv)
        if host not in self._local:
            line = as_root(line)
        elif os.geteuid() != 0:
            line = f"sudo -n {line}"
        try:
            done = self.host(host).run(line)
        except RuntimeError as error:
            raise unreachable(host, error.args[0].stderr) from None
        if done.rc != 0:
            said = (done.stderr.strip() or done.stdout.strip())[-500:]
            raise HostError(f"{argv[0]} ended with {done.rc}: {said}", host, "exit code 0")
        return bytes(done.stdout_bytes)


class Outside:
    """Runs commands at a place that is no host of the stack: `prefix` goes there."""

    def __init__(self, prefix: Sequence[str]) -> None:
        self._prefix = tuple(prefix)

    def __call__(self, host: str, argv: Sequence[str]) -> bytes:
        """As `Remote`; `host` only names the place in errors."""
        try:
            done = subprocess.run([*self._prefix, *argv], capture_output=True, timeout=PROBE_SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise HostError(f"cannot look from outside: {error}", host) from None
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip()[-500:]
            raise HostError(f"cannot look from outside: {said}", host, "exit code 0")
        return done.stdout


def unreachable(host: str, said: str) -> HostError:
    """One sentence for a host that ssh did not reach; `said` is ssh's own last line."""
    reason = said.strip().splitlines()[-1][-300:] if said.strip() else "no answer"
    return HostError(f"{host} is not reached: {reason}", host, "an ssh login", f"himari status tells more of {host}")
