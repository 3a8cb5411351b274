"""The probe's half on the host: reads what it was asked for and prints one JSON object. Standard library only.

It runs as root from standard input, changes nothing, and leaves nothing. Texts are parsed on the operator's side
(`himari.proof.readings`); only what must not leave the host is taken out here: private and preshared keys."""

import contextlib
import grp
import hashlib
import json
import os
import pwd
import re
import socket
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

COMMAND_SECONDS = 8
PATIENCE = {"filesystem": 25}  # it looks at each file there is
ATTEMPT_SECONDS = 2.0
HEARTBEAT_SECONDS = 1.5  # the collector beats once a second
CALL = b"\x01\x00\x00\x00" + bytes(144)  # as long as a WireGuard peer's first message, from nobody it knows
INTERFACE_FIELDS = 5  # of a line about an interface in WireGuard's dump; a peer's has 9
MANY = 64  # threads: nearly all of them wait
JOURNALD = "systemd-journald.service"
# Data is neither anybody's program nor small; others' file systems are not the host's own.
PRUNED = ("/proc", "/sys", "/run", "/var/lib/himari", "/var/lib/himari-exchange")
# Two seconds of traffic, as an interrupt that was sent elsewhere goes there when it next comes.
INTERRUPTS = """
cat /proc/interrupts; echo; sleep 2; cat /proc/interrupts; echo
for card in /sys/class/net/*/device; do
    for held in $card/msi_irqs $card/../msi_irqs; do [ -d $held ] && ls $held && break; done
done | sort -nu | while read -r irq; do
    echo $irq $(cat /proc/irq/$irq/smp_affinity_list) $(cat /proc/irq/$irq/effective_affinity_list)
done
"""

UNIT_PROPERTIES = (
    "Id,LoadState,ActiveState,SubState,Result,NRestarts,UnitFileState,ExecMainPID,Type,TriggeredBy,"
    "ActiveEnterTimestampMonotonic,ExecMainStartTimestampMonotonic,"
    "IPAddressAllow,IPAddressDeny,MemoryMax,TasksMax,CPUQuotaPerSecUSec,OOMScoreAdjust,KillMode,Restart,NextElapseUSecRealtime,NextElapseUSecMonotonic"
)

NEEDRESTART = r"""
our %nrconf;
do '/etc/needrestart/needrestart.conf';
for my $unit (@ARGV) {
    my ($restart) = map { $nrconf{override_rc}{$_} } grep { $unit =~ /$_/ } keys %{$nrconf{override_rc}};
    print "$unit ", (defined $restart ? $restart : 1), "\n";
}
"""


# What is run whatever is asked, by the name under which its answer is found.
ALWAYS = {
    # the kernel, the release, the clock
    "release": ["cat", "/etc/os-release"],
    "kernel": ["uname", "-r"],
    "modules": ["cat", "/proc/modules"],
    "interrupts": ["sh", "-c", INTERRUPTS],
    "chrony": ["chronyc", "-c", "-n", "tracking"],
    # the network
    "listeners": ["ss", "-Hltnup"],
    "nftables": ["nft", "-j", "list", "ruleset"],
    "addresses": ["ip", "-j", "address", "show"],
    "qdiscs": ["tc", "-j", "qdisc", "show"],
    # files
    "mounts": ["cat", "/proc/mounts"],
    "umask": ["sh", "-lc", "umask"],
    # who may enter, and who may become root
    "accounts": ["getent", "passwd"],
    "passwords": ["passwd", "-S", "-a"],
    "groups": ["getent", "group"],
    "sshd": ["/usr/sbin/sshd", "-T"],
    "sudoers": ["sudo", "-n", "-l", "-U", "himari"],
    # packages and their upgrades
    "packages": ["dpkg-query", "-W", "-f", "${Package}\t${Version}\t${db:Status-Status}\n"],
    "apt": ["apt-config", "dump"],
    "sources": ["sh", "-c", "cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null"],
    # systemd and its journal
    "systemd": ["systemctl", "--version"],
    "cores": ["systemctl", "show", "--property=DefaultLimitCORE"],
    "failed": ["systemctl", "list-units", "--failed", "--plain", "--no-legend", "--no-pager"],
    "journals": ["find", "/var/log/journal", "-mindepth", "2", "-name", "system.journal"],
    "journal_size": ["journalctl", "--disk-usage", "--no-pager"],
    "sudo_log": ["journalctl", "--since=-10min", "-t", "sudo", "-n", "20", "-o", "cat", "--no-pager", "-q"],
}


def found_files() -> list[str]:
    """The search for files that make their user somebody else, that anybody may write, or that nobody owns."""
    pruned = [word for path in PRUNED for word in ("-path", path, "-o")][:-1]
    sought = ["(", "-perm", "/6000", "-type", "f", ")", "-o", "(", "-perm", "-0002", "!", "-type", "l", ")"]
    strays = ["-o", "-nouser", "-o", "-nogroup"]
    said = ["-printf", "%m %y %U %G %p\n"]
    return ["find", "/", "-xdev", "(", *pruned, ")", "-prune", "-o", "(", *sought, *strays, ")", *said]


def commands(ask: dict[str, Any]) -> dict[str, list[str]]:
    """What is run, by the name under which its answer is found."""
    units = ask["units"]
    named = [word for unit in units for word in ("-u", unit)]
    shown = ["-o", "json", "--output-fields=_SYSTEMD_UNIT,UNIT,MESSAGE", "--no-pager", "-q"]
    return {
        **ALWAYS,
        "filesystem": found_files(),
        "unused_modules": ["modprobe", "-n", "-v", "-a", *ask["unused_modules"]],
        "needrestart": ["perl", "-e", NEEDRESTART, *units],
        "units": ["systemctl", "show", "--no-pager", f"--property={UNIT_PROPERTIES}", *units],
        # The second unit is there on each host: with one alone there is no line of totals.
        "exposure": ["systemd-analyze", "security", "--json=short", "--no-pager", JOURNALD, *ask["bounded"]],
        "errors": ["journalctl", "--since=-1h", "-p", "err", "-n", "200", *shown, *named],
    }


def run(argv: list[str], seconds: float = COMMAND_SECONDS) -> dict[str, Any]:
    """One command's answer; what cannot be run answers with a code of its own."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, errors="replace", timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return {"code": 124, "out": "", "err": f"no answer in {seconds} s"}
    except OSError as error:
        return {"code": 127, "out": "", "err": str(error)}
    return {"code": done.returncode, "out": done.stdout, "err": done.stderr[-500:]}


def text(path: str) -> str | None:
    """A small file's text; None when there is none."""
    try:
        return Path(path).read_text(errors="replace").strip()
    except OSError:
        return None


def digest(path: str) -> dict[str, Any] | None:
    """What lies at `path`: content digest, mode, owner, group."""
    try:
        status = os.lstat(path)
        sha256 = hashlib.sha256(Path(path).read_bytes()).hexdigest() if Path(path).is_file() else ""
    except OSError:
        return None
    owner, group = str(status.st_uid), str(status.st_gid)
    with contextlib.suppress(KeyError):
        owner, group = pwd.getpwuid(status.st_uid).pw_name, grp.getgrgid(status.st_gid).gr_name
    return {"sha256": sha256, "mode": status.st_mode & 0o7777, "owner": owner, "group": group}


def tree(path: str) -> dict[str, Any]:
    """What lies in the folder at `path`, by name; nothing when there is none."""
    try:
        found = {each.name: digest(str(each)) for each in Path(path).iterdir()}
    except OSError:
        return {}
    return {name: state for name, state in found.items() if state is not None}


def wireguard() -> dict[str, Any]:
    """`wg show all dump`, and the host's time to judge it by."""
    answer = run(["wg", "show", "all", "dump"])
    return {**answer, "out": without_keys(answer["out"]), "now": int(time.time())}


def without_keys(dump: str) -> str:
    """The dump without the private key of an interface and the preshared key of a peer."""
    rows = [line.split("\t") for line in dump.splitlines()]
    for row in rows:
        row[1 if len(row) == INTERFACE_FIELDS else 2] = ""
    return "\n".join("\t".join(row) for row in rows)


def process(unit: str) -> dict[str, Any] | None:
    """Limits and threads of a unit's main process; None when it has none."""
    pid = run(["systemctl", "show", "--value", "--property=ExecMainPID", unit])["out"].strip()
    limits = text(f"/proc/{pid}/limits") if pid not in ("", "0") else None
    if limits is None:
        return None
    threads = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        status = text(f"{task}/status") or ""
        fields = dict(re.findall(r"^(\w+):\s*(.*)$", status, re.MULTILINE))
        threads.append({"name": fields.get("Name", ""), "cpus": fields.get("Cpus_allowed_list", "")})
    return {
        "pid": int(pid),
        "limits": limits,
        "oom_score_adjust": text(f"/proc/{pid}/oom_score_adj"),
        "threads": threads,
    }


def ping(peer: dict[str, Any]) -> dict[str, Any]:
    """Whether packets of exactly `mtu` bytes reach a peer unfragmented (28 of them are headers)."""
    size = str(peer["mtu"] - 28)
    return run(["ping", "-n", "-q", "-c", "2", "-i", "0.2", "-w", "2", "-M", "do", "-s", size, peer["address"]])


class Redis:
    """Just enough of Redis' protocol to ask; raises OSError or ValueError."""

    def __init__(self, address: str, port: int) -> None:
        self._socket = socket.create_connection((address, port), ATTEMPT_SECONDS)
        self._file = self._socket.makefile("rb")

    def ask(self, *words: str) -> Any:
        """The answer; an error answer comes as a text that starts with "-"."""
        parts = [f"*{len(words)}\r\n".encode()]
        parts += [b"$%d\r\n%s\r\n" % (len(word.encode()), word.encode()) for word in words]
        self._socket.sendall(b"".join(parts))
        return self._answer()

    def _answer(self) -> Any:
        line = self._file.readline().rstrip(b"\r\n").decode(errors="replace")
        if not line:
            raise ValueError("Redis closed the connection")
        kind, rest = line[0], line[1:]
        if kind == "$":
            return None if rest == "-1" else self._file.read(int(rest) + 2)[:-2].decode(errors="replace")
        if kind == "*":
            return [self._answer() for _ in range(int(rest))]
        return line if kind == "-" else rest

    def close(self) -> None:
        self._file.close()
        self._socket.close()


def credential(name: str) -> str:
    """A credential's value, which must never be printed; raises ValueError when the host cannot open it."""
    argv = ["systemd-creds", "decrypt", f"--name={name}", f"/etc/credstore.encrypted/{name}", "-"]
    answer = run(argv)
    if answer["code"]:
        raise ValueError(f"credential {name}: {answer['err'].strip()}")
    return str(answer["out"])


def log_in(redis: Redis, ask: dict[str, Any]) -> None:
    answer = redis.ask("AUTH", ask["user"], credential(ask["credential"]))
    if answer != "OK":
        raise ValueError(f"user {ask['user']}: {answer}")


def buffer(ask: dict[str, Any]) -> dict[str, Any]:
    """What the buffer says of itself to the operator's user."""
    try:
        redis = Redis("127.0.0.1", ask["port"])
        try:
            log_in(redis, ask)
            return {
                "info": redis.ask("INFO", "everything"),
                "config": {name: (redis.ask("CONFIG", "GET", name) or ["", ""])[1:] for name in ask["config"]},
                "users": {name: redis.ask("ACL", "GETUSER", name) for name in ask["users"]},
                "streams": streams(redis, ask),
                "later": streams(redis, ask, HEARTBEAT_SECONDS),
            }
        finally:
            redis.close()
    except (OSError, ValueError) as error:
        return {"error": str(error)}


def streams(redis: Redis, ask: dict[str, Any], after: float = 0.0) -> dict[str, Any]:
    """What Redis says of each stream, `after` so many seconds."""
    time.sleep(after)
    return {name: redis.ask("XINFO", "STREAM", name) for name in ask["streams"]}


def metrics(place: str) -> dict[str, Any]:
    """What a service of this host shows to Prometheus at `place` (address:port)."""
    try:
        with urllib.request.urlopen(f"http://{place}/metrics", timeout=COMMAND_SECONDS) as answer:
            return {"code": 0, "out": answer.read().decode(errors="replace"), "now": int(time.time())}
    except OSError as error:
        reason = getattr(error, "reason", error)  # urllib wraps what the system said
        return {"code": 1, "out": "", "err": getattr(reason, "strerror", None) or str(reason)}


def attempt(ask: dict[str, Any]) -> dict[str, Any]:
    """Try to do what `ask` says and tell what came of it: see `himari.proof.question.Outcome`."""
    started = time.monotonic()
    try:
        outcome, detail = ATTEMPTS[ask["kind"]](ask)
    except TimeoutError:
        outcome, detail = "timeout", ""
    except ConnectionRefusedError:
        outcome, detail = "refused", ""
    except (OSError, ValueError) as error:
        outcome, detail = "error", str(error)
    return {"outcome": outcome, "detail": detail, "seconds": round(time.monotonic() - started, 3)}


def connect(ask: dict[str, Any]) -> tuple[str, str]:
    socket.create_connection((ask["address"], ask["port"]), ATTEMPT_SECONDS).close()
    return "open", ""


def call(ask: dict[str, Any]) -> tuple[str, str]:
    """Send a datagram; silence is a timeout, an ICMP error a refusal."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as caller:
        caller.settimeout(ATTEMPT_SECONDS)
        caller.connect((ask["address"], ask["port"]))
        caller.send(CALL)
        return "open", f"{len(caller.recv(2048))} bytes came back"


def converse(ask: dict[str, Any]) -> tuple[str, str]:
    """Say `words` to a Redis, after a login if `ask` names a user."""
    redis = Redis(ask["address"], ask["port"])
    try:
        if ask["user"]:
            log_in(redis, ask)
        answer = redis.ask(*ask["words"])
    finally:
        redis.close()
    if isinstance(answer, str) and answer.startswith("-"):
        return "denied", answer
    return "allowed", str(answer)[:100]


ATTEMPTS = {"connect": connect, "datagram": call, "redis": converse}


def probe(ask: dict[str, Any]) -> dict[str, Any]:
    """Everything at once: the slowest answer is how long it takes."""
    with ThreadPoolExecutor(MANY) as pool:
        asked = commands(ask) if ask["host"] else {}
        running = {name: pool.submit(run, argv, PATIENCE.get(name, COMMAND_SECONDS)) for name, argv in asked.items()}
        parts: dict[str, dict[str, Future[Any]]] = {
            "processes": {unit: pool.submit(process, unit) for unit in ask["units"]},
            "pings": {peer["address"]: pool.submit(ping, peer) for peer in ask["peers"]},
            "attempts": {one["id"]: pool.submit(attempt, one) for one in ask["attempts"]},
            "metrics": {place: pool.submit(metrics, place) for place in ask["metrics"]},
            "files": {path: pool.submit(digest, path) for path in ask["files"]},
            "trees": {path: pool.submit(tree, path) for path in ask["trees"]},
            "texts": {path: pool.submit(text, path) for path in ask["texts"]},
            "wireguard": {"all": pool.submit(wireguard)} if ask["host"] else {},
            "buffer": {"all": pool.submit(buffer, ask["buffer"])} if ask["buffer"] else {},
        }
        answers = {name: future.result() for name, future in running.items()}
        return {"commands": answers} | {
            part: {name: future.result() for name, future in futures.items()} for part, futures in parts.items()
        }


def main(ask: dict[str, Any]) -> None:
    """Answer the question on standard output."""
    sys.stdout.write(json.dumps(probe(ask)))
