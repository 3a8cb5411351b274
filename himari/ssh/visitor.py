"""The operator as a client of the stack's services: a way to their ports, the CA to check them by, users' passwords."""

import time
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from threading import Lock

from himari.ssh.connection import Reach, reach
from himari.ssh.forward import Door, forwarded
from himari.stack.errors import MachineError
from himari.stack.known import Known
from himari.stack.paths import StateDir
from himari.vault.authority import Authority
from himari.vault.secrets import Secrets

PATIENCE_S = 90.0  # a visitor of another stack is done by then


class Visitor:
    """Opens each way once, and keeps it until `close`."""

    def __init__(self, known: Known, state: StateDir) -> None:
        self._known = known
        self._state = state
        self._ways = ExitStack()
        self._doors: dict[tuple[str, str, int, int], Door] = {}
        self._opening = Lock()

    def door(self, host: str, address: str, port: int, *, here: int = 0) -> Door:
        """The way to `address`:`port`, as `host` itself reaches it; at port `here` of this machine if not 0.

        That one is waited for, as another stack's visitor may have it. Raises HostError when the host is not reached,
        MachineError when the port is not to be had."""
        key = host, address, port, here
        with self._opening:
            if key not in self._doors:
                self._doors[key] = self._opened(reach(host, self._known, self._state), address, port, here)
            return self._doors[key]

    def _opened(self, at: Reach, address: str, port: int, here: int) -> Door:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return self._ways.enter_context(forwarded(at, address, port, local_port=here))
            except MachineError:
                if not here or time.monotonic() > deadline:
                    raise
                time.sleep(0.5)

    def password(self, secret: str) -> str:
        """The stack's secret of that name."""
        return self._secrets.get(secret)

    @cached_property
    def _secrets(self) -> Secrets:
        # Opened once: a sealed file is decrypted by a program of its own.
        return Secrets.open(self._state, makes=False)

    @property
    def ca_file(self) -> Path:
        """The certificate of the stack's CA."""
        return Authority.open(self._state, makes=False).certificate_file

    def close(self) -> None:
        """End all ways."""
        self._ways.close()
        self._doors.clear()
