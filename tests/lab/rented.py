"""Two machines that somebody has, a server and a computer at home, and a venue that is no host of the stack.

The lab only makes them: Himari sees addresses, root's login by a key, and what runs there already."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from himari.catalog.host import debian_packages
from himari.lab import lab
from himari.runs.report import UpReport
from himari.ssh import connection
from himari.stack.known import KnownHost, read_known
from himari.stack.load import load_stack
from himari.stack.paths import PROJECT, StateDir
from himari.vault.authority import Authority

BIN = PROJECT / ".venv" / "bin"
MACHINES = "machines"
FILE = """
[stack]
name = "rented"
[network]
mtu = 1320
[access]
ssh_from = ["{operator}/32"]
identity_file = "{key}"
[venues.binance]
symbols = ["BTC/USDT", "ETH/USDT"]
frames_per_s = 200
bytes_per_s = 60_000
websocket_url = "wss://{venue}:9443"
rest_url = "https://{venue}:9443"
ca_file = "{authority}"
[retention]
journal_hours = 4
stream_minutes = 15
parquet_days = 7
segment_seconds = 20
parquet_flush_seconds = 3
[alerts]
disk_free = 0.05
[hosts.edge]
provider = "static"
address = "{edge}"
roles = ["edge"]
cpus = 2
memory_mb = 2048
disk_gb = 20
[hosts.brain]
provider = "static"
address = "{brain}"
existing = true
roles = ["brain"]
cpus = 2
memory_mb = 2048
disk_gb = 40
"""
EXCHANGE = """
[listen]
address = "{venue}"
port = 9443
certificate_file = "{certificate}"
[control]
address = "127.0.0.1"
port = 9444
[ledger]
path = "{ledger}"
max_bytes = 268435456
[market]
symbols = ["BTCUSDT", "ETHUSDT"]
seed = 7
frames_per_s = 200
"""

OWN_RULES = "nft add table inet mine; nft add chain inet mine input '{ type filter hook input priority 5; }'"
OWN = {
    "sshd's configuration": "cat /etc/ssh/sshd_config /etc/ssh/sshd_config.d/* 2>/dev/null | sha256sum",
    "its own rules": "nft list table inet mine",
    "kernel settings": "cat /etc/sysctl.conf /etc/sysctl.d/* | sha256sum",
    "its updates": "cat /etc/apt/apt.conf.d/* | sha256sum",
    "packages": "dpkg-query -W -f '${Package}\\n'",
    "who may be root": "cat /root/.ssh/authorized_keys",
}


class Rented:
    """The machines, and a stack file that names them; driven as its operator would."""

    def __init__(self, root: Path, machines: dict[str, KnownHost]) -> None:
        self.root = root
        self.machines = machines
        self.file = root / "rented.toml"
        self.state = StateDir(root / "rented")
        self.inside("brain", OWN_RULES)
        self.untouched = self.own()

    def own(self) -> dict[str, str]:
        """What the machine at home has of its own."""
        return {name: self.inside("brain", command) for name, command in OWN.items()}

    def himari(
        self, *arguments: str, state: Path | None = None, seconds: float = 400
    ) -> subprocess.CompletedProcess[str]:
        """Run the command, with another state for somebody who knows nothing yet; how it ended, whatever that was."""
        environment = os.environ | {"HIMARI_STATE": str(state or self.root)}
        argv = (str(BIN / "himari"), *arguments)
        return subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=seconds, check=False)

    def up(self) -> UpReport:
        """`himari up --json`, which must end green."""
        done = self.himari("up", str(self.file), "--json")
        assert done.returncode == 0, done.stderr[-4000:] + done.stdout[-2000:]
        return msgspec.json.decode(done.stdout, type=UpReport)

    def inside(self, host: str, command: str) -> str:
        """Standard output of a shell command that succeeds as root on `host`, without ssh."""
        argv = lab.exec_argv(MACHINES, host, ("sh", "-ec", command), machines_state(self.root))
        return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60).stdout

    def rewrite(self, old: str, new: str) -> None:
        """Edit the stack file, as an operator who errs."""
        text = self.file.read_text()
        assert old in text
        self.file.write_text(text.replace(old, new))


def machines_state(root: Path) -> StateDir:
    """What the machines themselves are kept under; Himari's own state of the stack is another folder."""
    return StateDir(root / MACHINES)


@contextmanager
def rented(root: Path) -> Iterator[Rented]:
    """The machines, and a stack file here that names them; all gone at the end."""
    with machines(root) as (known, authority):
        made = Rented(root, known)
        addresses = {name: host.address for name, host in known.items()}
        operator = addresses["edge"].rpartition(".")[0] + ".1"
        key = machines_state(root).ssh / "id_ed25519"
        made.file.write_text(stack_file(root, addresses, operator=operator, key=key, authority=authority))
        yield made
        connection.close(read_known(made.state.hosts), made.state)


def stack_file(root: Path, addresses: dict[str, str], *, operator: str, key: Path, authority: Path) -> str:
    """The stack file of an operator at the address `operator`, who has `key` and, of the venue, `authority`."""
    venue = lab.outside_address(MACHINES, machines_state(root))
    return FILE.format(**addresses, operator=operator, key=key, authority=authority, venue=venue)


@contextmanager
def machines(root: Path) -> Iterator[tuple[dict[str, KnownHost], Path]]:
    """The machines with a venue beside them, running, and the file of the authority that vouches for the venue."""
    state = machines_state(root)
    names = ("edge", "brain")
    packages = debian_packages(load_stack("lab-edge"))
    spec = lab.LabSpec(
        stack_name=MACHINES, hosts=tuple(lab.LabHostSpec(name=name) for name in names), packages=packages
    )
    try:
        known = lab.up(spec, state, lambda _host, _says: None)
        with _venue(root, state) as authority:
            yield known, authority
    finally:
        assert lab.destroy(MACHINES, state) == []


@contextmanager
def _venue(root: Path, state: StateDir) -> Iterator[Path]:
    """An exchange at an address that is no host of the stack; the file with the authority that vouches for it."""
    address = lab.outside_address(MACHINES, state)
    authority = Authority.open(StateDir(root / "venue"))
    issued = authority.issue("exchange", [address])
    files = {"exchange.pem": issued.certificate, "exchange-key": issued.key, "ca.pem": authority.certificate}
    folder = root / "venue"
    about = {"venue": address, "certificate": folder / "exchange.pem", "ledger": folder / "ledger"}
    for name, text in (files | {"exchange.toml": EXCHANGE.format(**about)}).items():
        (folder / name).write_text(text)
    serve = (str(BIN / "himari-exchange"), "serve", "--settings", str(folder / "exchange.toml"))
    argv = lab.outside_argv(MACHINES, serve, state)
    environment = os.environ | {"CREDENTIALS_DIRECTORY": str(folder)}
    with subprocess.Popen(argv, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            yield folder / "ca.pem"
        finally:
            process.terminate()
