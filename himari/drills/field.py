"""Where a drill takes place: the hosts of a lab, entered without the ssh and the network that are being broken."""

import re
import shlex
import subprocess
import time
from collections.abc import Callable

import msgspec

from himari.catalog.collector import UNIT as COLLECTOR
from himari.catalog.ports import COLLECTOR_METRICS, CONSUMER_METRICS
from himari.lab import faults, lab
from himari.proof.accounts import ExchangeLedger
from himari.proof.window import exchange_ledger
from himari.stack.errors import HostError, StackFileError
from himari.stack.model import Role, Stack
from himari.stack.network import tunnel_address
from himari.stack.paths import StateDir

LINES = re.compile(r"^(\d+) of (\d+) lines")
COUNTS = re.compile(r"(\d+) (records|to push|gaps|reconnects)")
FRAME, STORED = "himari_consumed_frame_received_ns", "himari_stored_received_ns"
BEHIND, FETCHED = "himari_catch_up_records_behind", "himari_catch_up_records_total"
COMMAND_SECONDS = 120
POLL_SECONDS = 0.2
METRICS = "import sys, urllib.request as u; sys.stdout.write(u.urlopen(sys.argv[1], timeout=2).read().decode())"


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What the collector said last of itself; zeroes where it said nothing."""

    lines: int = 0
    wanted: int = 0  # lines, when all is well
    records: int = 0
    waiting: int = 0  # to be pushed
    gaps: int = 0
    reconnects: int = 0

    @classmethod
    def read(cls, status: str) -> "Told":
        """Of the collector's status, such as "2 of 2 lines, 70 records, 3 to push, 0 gaps, 0 reconnects"."""
        up = LINES.match(status)
        lines, wanted = map(int, up.groups()) if up else (0, 0)
        counts = {name.replace("to push", "waiting"): int(count) for count, name in COUNTS.findall(status)}
        return cls(lines=lines, wanted=wanted, **counts)

    @property
    def carries(self) -> bool:
        """Whether every line is up."""
        return 0 < self.lines == self.wanted


class Field:
    """The hosts of one lab by their roles. Raises StackFileError for a stack that is none, or lacks a role."""

    def __init__(self, stack: Stack, state: StateDir) -> None:
        if not all(stack.hosts_with(role) for role in (Role.EXCHANGE, Role.EDGE, Role.BRAIN)):
            raise StackFileError(
                "drills break hosts on purpose, and this stack's are no lab's",
                stack.name,
                "a lab with an exchange, an edge and a brain",
                "himari drill NAME lab-edge, after himari up lab-edge",
            )
        self.stack, self.state = stack, state
        self.exchange, self.edge, self.brain = (
            stack.hosts_with(role)[0] for role in (Role.EXCHANGE, Role.EDGE, Role.BRAIN)
        )

    def inside(self, host: str, script: str) -> str:
        """Standard output of a shell script that runs as root on `host`. Raises HostError when it fails."""
        argv = lab.exec_argv(self.stack.name, host, ("sh", "-ec", script), self.state)
        try:
            done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=COMMAND_SECONDS)
        except subprocess.TimeoutExpired:
            raise HostError(f"no answer within {COMMAND_SECONDS} s: {script[:80]}", host) from None
        if done.returncode:
            raise HostError(f"`{script[:80]}` ended with {done.returncode}: {done.stderr.strip()[-300:]}", host)
        return done.stdout

    def asked(self, host: str, script: str) -> str:
        """The same, for what may fail while a host is broken: empty then."""
        try:
            return self.inside(host, script).strip()
        except HostError:
            return ""

    def shown(self, host: str, unit: str, name: str) -> str:
        """A property of a unit as systemd shows it; empty where it does not answer."""
        return self.asked(host, f"systemctl show --value --property={name} {unit}")

    def process(self, host: str, unit: str) -> str:
        """The number of a unit's main process; empty where there is none."""
        number = self.shown(host, unit, "MainPID")
        return "" if number == "0" else number

    def active(self, host: str, unit: str) -> bool:
        """Whether systemd says that a unit runs."""
        return self.shown(host, unit, "ActiveState") == "active"

    def status(self) -> str:
        """The collector's own words."""
        return self.shown(self.edge, COLLECTOR, "StatusText")

    def collector(self) -> Told:
        """The same, as figures."""
        return Told.read(self.status())

    def host(self, role: str) -> str:
        """The host that plays `role`: exchange, edge or brain."""
        return {"exchange": self.exchange, "edge": self.edge, "brain": self.brain}[role]

    def sent(self, since_ns: int) -> ExchangeLedger:
        """What the exchange sent since then, by its own ledger. Raises HostError where it does not say."""
        return exchange_ledger(self._run, self.exchange, since_ns, time.time_ns())

    def _run(self, host: str, argv: tuple[str, ...]) -> bytes:
        return self.inside(host, shlex.join(argv)).encode()

    def told_by_collector(self) -> dict[str, float]:
        return self.metrics(self.edge, self._url(self.edge, COLLECTOR_METRICS))

    def arrived_ns(self) -> float:
        """When the newest frame that reached the brain was received on the edge (ns since 1970); 0: not told."""
        return self.told_by_consumer().get(FRAME, 0.0)

    def stored_ns(self) -> float:
        """When the newest record that lies in the brain's Parquet files was received on the edge; 0: not told."""
        return self.told_by_consumer().get(STORED, 0.0)

    def told_by_consumer(self) -> dict[str, float]:
        return self.metrics(self.brain, self._url(self.brain, CONSUMER_METRICS))

    def caught_up(self) -> float:
        """How many records the brain has fetched from sealed segments since its consumer started."""
        told = self.told_by_consumer()
        return 0.0 if told.get(BEHIND, 1.0) else told.get(FETCHED, 0.0)

    def _url(self, host: str, port: int) -> str:
        return f"http://{tunnel_address(self.stack, host)}:{port}/metrics"

    def metrics(self, host: str, url: str) -> dict[str, float]:
        """What a service shows to Prometheus, by name with labels; nothing where it does not answer."""
        lines = self.asked(host, f"python3 -c '{METRICS}' {url}").splitlines()
        pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
        return {name: float(value) for name, _, value in pairs}

    def powered(self, host: str) -> bool:
        """Whether a host runs, as this machine sees it. Raises HostError where there is no lab."""
        return self.lab.powered(host)

    @property
    def lab(self) -> faults.Standing:
        """The lab, for faults that are made from outside of its hosts."""
        return faults.standing(self.stack.name, self.state)


def await_(holds: Callable[[], bool], seconds: float) -> bool:
    """Wait until `holds`; False when it does not come to that within `seconds`."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True
