"""From what a host's own tools print to values. Pure functions; what a tool did not print is an empty value."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

ANYWHERE = "*"
_MIB = {unit: 1024.0 ** (power - 2) for power, unit in enumerate("BKMGT")}
ANY = re.compile(r"^(0\.0\.0\.0|::|\*)$")


class Socket(msgspec.Struct, frozen=True, order=True):
    """A listener as `ss` shows it; `address` is "*" when it is bound to all."""

    protocol: str
    address: str
    port: int
    process: str


class Account(msgspec.Struct, frozen=True):
    uid: int
    home: str
    shell: str


class TunnelPeer(msgspec.Struct, frozen=True):
    """A WireGuard peer; `handshake_age` is in seconds, None before the first handshake."""

    public_key: str
    endpoint: str
    allowed: tuple[str, ...]
    handshake_age: int | None
    received: int
    sent: int
    keepalive: int


class Tunnel(msgspec.Struct, frozen=True):
    interface: str
    public_key: str
    port: int
    peers: tuple[TunnelPeer, ...]


class Tracking(msgspec.Struct, frozen=True):
    """chronyd's view of the clock; `offset` in seconds."""

    source: str
    stratum: int
    offset: float
    leap: str


class Metrics(msgspec.Struct, frozen=True):
    """Values by their name with labels, as the service wrote them; `now` is the host's clock, seconds."""

    values: dict[str, float]
    now: int

    def share_within(self, histogram: str, seconds: float) -> float | None:
        """The share of observations of at most `seconds`, a bound of the histogram; None without observations."""
        count = self.values.get(f"{histogram}_count", 0.0)
        return self.values[f'{histogram}_bucket{{le="{seconds}"}}'] / count if count else None


class Found(msgspec.Struct, frozen=True):
    """A file that the search found; `kind` is f, d, ... as `find` names it."""

    mode: int
    kind: str
    owner: int
    group: int
    path: str

    @property
    def changes_identity(self) -> bool:
        """Whether who runs it becomes somebody else."""
        return self.kind == "f" and bool(self.mode & 0o6000)

    @property
    def open_to_all(self) -> bool:
        """Whether anybody may change it; in a sticky folder everybody has but their own."""
        return bool(self.mode & 0o002) and not (self.kind == "d" and self.mode & 0o1000) and self.kind in "fd"


class AclUser(msgspec.Struct, frozen=True):
    flags: tuple[str, ...]
    passwords: int
    commands: tuple[str, ...]
    keys: str


MAPPED = "::ffff:"  # before an IPv4 address to which a program of both families is bound, as a JVM is


def sockets(text: str) -> list[Socket]:
    """`ss -Hltnup`."""
    return sorted({_socket(line.split(None, 6)) for line in text.splitlines() if line.strip()})


def _socket(fields: Sequence[str]) -> Socket:
    address, _, port = fields[4].rpartition(":")
    address = address.strip("[]").partition("%")[0].removeprefix(MAPPED)
    process = re.search(r'\(\("([^"]+)"', fields[6]) if len(fields) > 6 else None
    return Socket(
        fields[0], ANYWHERE if ANY.match(address) else address, int(port), process.group(1) if process else ""
    )


def units(text: str) -> dict[str, dict[str, str]]:
    """`systemctl show` of several units: properties by the unit's name."""
    blocks = (dict(_pairs(block.splitlines(), "=")) for block in text.split("\n\n"))
    return {block["Id"]: block for block in blocks if "Id" in block}


def exposures(text: str) -> dict[str, float]:
    """`systemd-analyze security --json=short UNIT UNIT...`: 0 (tight) to 10 (open), by unit.

    It prints an array about each unit, and one with their totals."""
    arrays = (json.loads(line) for line in text.splitlines() if line.startswith("["))
    rows = (row for array in arrays for row in array if "unit" in row)
    return {row["unit"]: float(row["exposure"]) for row in rows if row.get("exposure")}


def errors(text: str, unit: str) -> list[str]:
    """`journalctl -o json`: the messages of `unit`, and of systemd about it."""
    entries = (json.loads(line) for line in text.splitlines())
    return [str(entry.get("MESSAGE")) for entry in entries if unit in (entry.get("_SYSTEMD_UNIT"), entry.get("UNIT"))]


def metrics(text: str, now: int) -> Metrics:
    """Prometheus' text format, at the host's time `now` in seconds."""
    rows = (line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#"))
    return Metrics({name: float(value) for name, _, value in rows}, now)


def directives(text: str) -> dict[str, str]:
    """`sshd -T`: the effective setting by its lower-case name; the values of a repeated one are joined by a space."""
    found: dict[str, str] = {}
    for name, value in _pairs(text.splitlines(), " "):
        found[name.lower()] = f"{found[name.lower()]} {value}" if name.lower() in found else value
    return found


def found_files(text: str) -> list[Found]:
    """The agent's search: mode, kind, owner, group and path of each."""
    rows = (line.split(" ", 4) for line in text.splitlines())
    return [Found(int(row[0], 8), row[1], int(row[2]), int(row[3]), row[4]) for row in rows if len(row) == 5]


def mounts(text: str) -> dict[str, tuple[str, ...]]:
    """`/proc/mounts`: the options by place; of several at one place the last, which hides the others."""
    rows = (line.split() for line in text.splitlines())
    return {row[1]: tuple(row[3].split(",")) for row in rows if len(row) == 6}


def journal_mib(text: str) -> float | None:
    """`journalctl --disk-usage`: MiB; None when it does not say."""
    said = re.search(r"take up ([0-9.]+)([BKMGT])", text)
    return float(said.group(1)) * _MIB[said.group(2)] if said else None


def sudo_commands(text: str) -> list[str]:
    """`sudo -l -U USER`: what the user may run, each with as whom and how."""
    _, _, listed = text.partition("may run the following commands")
    return [" ".join(line.split()) for line in listed.splitlines()[1:] if line.strip()]


def packages(text: str) -> dict[str, str]:
    """Versions of what is installed."""
    rows = (line.split("\t") for line in text.splitlines())
    return {row[0]: row[1] for row in rows if len(row) == 3 and row[2] == "installed"}


def accounts(text: str) -> dict[str, Account]:
    """`getent passwd`."""
    rows = (line.split(":") for line in text.splitlines())
    return {row[0]: Account(int(row[2]), row[5], row[6]) for row in rows if len(row) == 7}


def groups(text: str) -> dict[str, tuple[str, ...]]:
    """`getent group`: members by group."""
    rows = (line.split(":") for line in text.splitlines())
    return {row[0]: tuple(filter(None, row[3].split(","))) for row in rows if len(row) == 4}


def password_states(text: str) -> dict[str, str]:
    """`passwd -S -a`: L locked, NP none, P usable."""
    rows = (line.split() for line in text.splitlines())
    return {row[0]: row[1] for row in rows if len(row) > 1}


def apt_settings(text: str) -> dict[str, tuple[str, ...]]:
    """`apt-config dump`: the values by name; a list's name is written without its trailing `::`."""
    found: dict[str, tuple[str, ...]] = {}
    for name, value in re.findall(r'^(\S+) "(.*)";$', text, re.MULTILINE):
        key = name.removesuffix("::")
        found[key] = (*found.get(key, ()), value) if value or key not in found else found[key]
    return {name: tuple(filter(None, values)) for name, values in found.items()}


def sources(text: str) -> list[str]:
    """apt's files of sources, of either form: the lines that count."""
    return [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def unsigned(source: str) -> bool:
    """Whether a line of a source says that no signature is needed."""
    return bool(re.search(r"(trusted|allow-insecure|allow-weak)\s*[:=]\s*(yes|true|1)\b", source, re.IGNORECASE))


def tunnels(text: str, now: int) -> dict[str, Tunnel]:
    """`wg show all dump`, at the host's time `now` in seconds."""
    rows = [line.split("\t") for line in text.splitlines()]
    peers = [(row[0], _peer(row, now)) for row in rows if len(row) == 9]
    return {
        row[0]: Tunnel(row[0], row[2], int(row[3]), tuple(peer for name, peer in peers if name == row[0]))
        for row in rows
        if len(row) == 5
    }


def _peer(row: Sequence[str], now: int) -> TunnelPeer:
    age = now - int(row[5]) if row[5] != "0" else None
    keepalive = 0 if row[8] == "off" else int(row[8])
    return TunnelPeer(row[1], row[3], tuple(row[4].split(",")), age, int(row[6]), int(row[7]), keepalive)


def ping_seconds(text: str) -> float | None:
    """`ping -q`: the shortest round trip, None when nothing came back."""
    said = re.search(r"min/avg/max\S* = ([0-9.]+)/", text)
    return float(said.group(1)) / 1000 if said else None


def tracking(text: str) -> Tracking | None:
    """`chronyc -c tracking`; None when chronyd does not answer."""
    row = text.strip().split(",")
    return Tracking(row[1], int(row[2]), float(row[4]), row[13]) if len(row) >= 14 else None


def limits(text: str) -> dict[str, int | None]:
    """`/proc/PID/limits`: the soft limit by name, None when unlimited."""
    rows = re.findall(r"^(Max .+?)\s{2,}(\S+)", text, re.MULTILINE)
    return {name: None if soft == "unlimited" else int(soft) for name, soft in rows}


def info(text: str) -> dict[str, str]:
    """Redis' `INFO`."""
    return dict(_pairs(text.splitlines(), ":"))


def acl_user(reply: Any) -> AclUser | None:
    """`ACL GETUSER`, which answers names and values in turn; None when there is no such user."""
    if not isinstance(reply, list):
        return None
    fields = dict(zip(reply[::2], reply[1::2], strict=True))
    commands = tuple(str(fields["commands"]).split())
    return AclUser(tuple(fields["flags"]), len(fields["passwords"]), commands, str(fields["keys"]))


def stream_end(reply: Any) -> tuple[int, int, int] | None:
    """`XINFO STREAM`: length and last id (epoch, n); None when there is no such stream."""
    if not isinstance(reply, list):
        return None
    fields = dict(zip(reply[::2], reply[1::2], strict=True))
    epoch, _, number = str(fields["last-generated-id"]).partition("-")
    return int(fields["length"]), int(epoch), int(number)


def cpus(text: str) -> set[int]:
    """A kernel's CPU list: `0-1,3`."""
    found: set[int] = set()
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return found


def _pairs(lines: Iterable[str], separator: str) -> list[tuple[str, str]]:
    found = (line.partition(separator) for line in lines if separator in line)
    return [(name, value.strip()) for name, _, value in found]
