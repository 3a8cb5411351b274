"""The operator as a client of the stack's services: a way to their ports, the CA to check them by, users' passwords."""

from contextlib import ExitStack
from pathlib import Path
from threading import Lock

from himari.ssh.connection import reach
from himari.ssh.forward import Door, forwarded
from himari.stack.known import Known
from himari.stack.paths import StateDir
from himari.vault.authority import Authority
from himari.vault.secrets import Secrets


class Visitor:
    """Opens each way once, and keeps it until `close`."""

    def __init__(self, known: Known, state: StateDir) -> None:
        self._known = known
        self._state = state
        self._ways = ExitStack()
        self._doors: dict[tuple[str, str, int], Door] = {}
        self._opening = Lock()

    def door(self, host: str, address: str, port: int) -> Door:
        """The way to `address`:`port`, as `host` itself reaches it. Raises HostError when the host is not reached."""
        key = host, address, port
        with self._opening:
            if key not in self._doors:
                way = forwarded(reach(host, self._known, self._state), address, port)
                self._doors[key] = self._ways.enter_context(way)
            return self._doors[key]

    def password(self, secret: str) -> str:
        """The stack's secret of that name."""
        return Secrets.open(self._state, makes=False).get(secret)

    @property
    def ca_file(self) -> Path:
        """The certificate of the stack's CA."""
        return Authority.open(self._state, makes=False).certificate_file

    def close(self) -> None:
        """End all ways."""
        self._ways.close()
        self._doors.clear()
