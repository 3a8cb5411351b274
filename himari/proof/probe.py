"""One host, read once: sends the agent and its question in one command, and gives what came back as values."""

import base64
import json
import shlex
import zlib
from collections.abc import Mapping
from typing import Protocol

import msgspec

from himari.proof import readings
from himari.proof.interrupts import Interrupt, interrupts
from himari.proof.question import BufferAnswer, FileState, Outcome, Process, Question, Raw, agent_source
from himari.stack.errors import HostError

PROBE_SECONDS = 30
CUT_OFF = 124  # timeout(1) ended it
UNPACK = (
    "import base64,json,sys,zlib;"
    "packed=json.loads(zlib.decompress(base64.b64decode(sys.stdin.read())));"
    "space={'__name__':'agent'};"
    "exec(compile(packed['agent'],'himari-probe','exec'),space);"
    "space['main'](packed['ask'])"
)


class Runner(Protocol):
    """Runs one command on a host as root and gives its standard output.

    Raises `HostError` when the host is not reached or the command fails."""

    def __call__(self, host: str, argv: tuple[str, ...], /) -> bytes: ...


def command(question: Question) -> tuple[str, ...]:
    """The one command that answers `question`: the agent and the question go in over standard input."""
    packed = json.dumps({"agent": agent_source(), "ask": msgspec.to_builtins(question)})
    text = base64.b64encode(zlib.compress(packed.encode(), 9)).decode()
    python = shlex.join(["timeout", str(PROBE_SECONDS), "python3", "-c", UNPACK])
    late = f'[ "$code" != {CUT_OFF} ] || echo "the probe took longer than {PROBE_SECONDS} s" >&2'
    return ("sh", "-c", f'printf %s {text} | {python}; code=$?; {late}; exit "$code"')


def ask(host: str, question: Question, run: Runner) -> "Probe":
    """Raises `HostError` when `host` cannot be reached or what it answers is not an answer."""
    answer = run(host, command(question))
    try:
        return Probe(host, msgspec.json.decode(answer, type=Raw))
    except msgspec.DecodeError as error:
        raise HostError(
            "the probe's answer cannot be read", host, "one JSON object", f"{error}; it began {answer[:200]!r}"
        ) from None


class Probe:
    """What one host answered. A question that was not asked is a KeyError: it must not look like a good answer."""

    def __init__(self, host: str, raw: Raw) -> None:
        self.host = host
        self.raw = raw

    def _out(self, name: str) -> str:
        return self.raw.commands[name].out

    def text(self, path: str) -> str:
        """A small file's text, with white space made single; "" when there is none."""
        return " ".join((self.raw.texts[path] or "").split())

    def sysctl(self, name: str) -> str:
        return self.text("/proc/sys/" + name.replace(".", "/"))

    def file(self, path: str) -> FileState | None:
        return self.raw.files[path]

    def tree(self, link: str) -> Mapping[str, FileState]:
        """What lies in the folder that `link` leads to, by name."""
        return self.raw.trees[link]

    def process(self, unit: str) -> Process | None:
        return self.raw.processes[unit]

    def attempt(self, name: str) -> Outcome:
        return self.raw.attempts[name]

    def unit(self, name: str) -> Mapping[str, str]:
        """A unit's properties; none when systemd does not know it."""
        return readings.units(self._out("units")).get(name, {})

    @property
    def exposures(self) -> dict[str, float]:
        return readings.exposures(self._out("exposure"))

    def errors(self, unit: str) -> list[str]:
        """What `unit`, or systemd about it, logged at level error within the hour, newest last."""
        return readings.errors(self._out("errors"), unit)

    @property
    def failed_units(self) -> list[str]:
        return [line.split()[0] for line in self._out("failed").splitlines() if line.strip()]

    def metrics(self, place: str) -> readings.Metrics:
        """What the service at `place` (address:port) counts; raises `HostError` when it does not say."""
        answer = self.raw.metrics[place]
        if answer.code:
            raise HostError(f"no metrics at {place}: {answer.err}", self.host, "the service that serves them")
        return readings.metrics(answer.out, answer.now)

    @property
    def sockets(self) -> list[readings.Socket]:
        return readings.sockets(self._out("listeners"))

    @property
    def ruleset(self) -> str:
        """The firewall's rules as `nft -j` prints them."""
        return self._out("nftables")

    @property
    def sshd(self) -> dict[str, str]:
        return readings.directives(self._out("sshd"))

    @property
    def packages(self) -> dict[str, str]:
        return readings.packages(self._out("packages"))

    @property
    def accounts(self) -> dict[str, readings.Account]:
        return readings.accounts(self._out("accounts"))

    @property
    def passwords(self) -> dict[str, str]:
        return readings.password_states(self._out("passwords"))

    @property
    def groups(self) -> dict[str, tuple[str, ...]]:
        return readings.groups(self._out("groups"))

    @property
    def found_files(self) -> list[readings.Found]:
        """Files that make their user somebody else, that anybody may write, or whose owner is unknown.

        Raises `HostError` when the search did not come to its end: what it did not see must not look good."""
        answer = self.raw.commands["filesystem"]
        if answer.code == CUT_OFF:
            raise HostError("the search for files took too long", self.host, "all files seen")
        return readings.found_files(answer.out)

    @property
    def mounts(self) -> dict[str, tuple[str, ...]]:
        return readings.mounts(self._out("mounts"))

    @property
    def needrestart(self) -> dict[str, str]:
        """Whether an upgrade restarts a unit ("1") or leaves it alone ("0")."""
        return dict(line.split() for line in self._out("needrestart").splitlines())

    @property
    def apt(self) -> dict[str, tuple[str, ...]]:
        return readings.apt_settings(self._out("apt"))

    @property
    def tracking(self) -> readings.Tracking | None:
        return readings.tracking(self._out("chrony"))

    @property
    def tunnels(self) -> dict[str, readings.Tunnel]:
        answer = self.raw.wireguard["all"]
        return readings.tunnels(answer.out, answer.now)

    @property
    def modules(self) -> set[str]:
        return {line.split()[0] for line in self._out("modules").splitlines()}

    @property
    def buffer(self) -> BufferAnswer:
        """What Redis said; raises `HostError` when it said nothing to the operator's user."""
        answer = self.raw.buffer["all"]
        if answer.error:
            raise HostError(answer.error, self.host, "Redis answering the operator's user on loopback")
        return answer

    @property
    def interrupts(self) -> list[Interrupt]:
        return interrupts(self._out("interrupts"))

    @property
    def versions(self) -> dict[str, str]:
        """The system's own versions."""
        release = dict(line.split("=", 1) for line in self._out("release").splitlines() if "=" in line)
        systemd = self._out("systemd").split(maxsplit=2)
        return {
            "system": release.get("PRETTY_NAME", "").strip('"'),
            "kernel": self._out("kernel").strip(),
            "systemd": systemd[1] if len(systemd) > 1 else "",
        }
