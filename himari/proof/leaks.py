"""The proof that no secret leaks: its values are searched for where they must not stand, on each host and here.

What may hold them is left out: the vault itself, and on a host the folder where systemd puts what it decrypted."""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

import msgspec

from himari.proof.leak_agent import needles, processes
from himari.proof.leak_agent import search as search_here
from himari.ssh.connection import Reach, reach
from himari.stack.errors import HostError
from himari.stack.known import Known
from himari.stack.paths import PROJECT, StateDir, state_root

HERE = "this machine"
SECONDS = 300.0  # of one host
JOURNAL = ("journalctl", "-q", "--no-pager", "-o", "export")
# Where a program may have put something down: logs, settings, drafts, states. /run/credentials is what is to hold them.
HOST_FOLDERS = (
    "/etc",
    "/home",
    "/opt/himari",
    "/root",
    "/run",
    "/tmp",  # noqa: S108  it is searched
    "/usr/local",
    "/var/cache/himari",
    "/var/crash",
    "/var/lib/himari-apply",
    "/var/lib/systemd/coredump",
    "/var/log",
    "/var/spool",
    "/var/tmp",  # noqa: S108  likewise
)
PEOPLES = ("/home", "/root", "/tmp", "/var/tmp")  # noqa: S108  likewise
# The exporter takes its password from a file alone: its wrapper makes one in memory, in a folder closed to others.
EXPORTERS_PASSWORD = "/run/himari-redis-exporter"  # noqa: S105  a path
HOST_SKIPPED = ("/run/credentials", EXPORTERS_PASSWORD, "/run/log/journal", "/var/log/journal", "/run/udev")
WATCH_S = 0.05  # between two looks at the running processes


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """Where one machine is searched."""

    folders: Sequence[str] = HOST_FOLDERS
    skipped: Sequence[str] = HOST_SKIPPED  # journals are asked for what they hold: their files may be compressed
    journal: Sequence[str] = JOURNAL
    proc: str = "/proc"


class Leak(msgspec.Struct, frozen=True, kw_only=True):
    """A value in clear: whose, and where; never the value."""

    host: str
    place: str
    name: str

    def __str__(self) -> str:
        return f"{self.host}: {self.place}: {self.name}"


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """One machine's answer, and how much of it was looked at."""

    host: str
    files: int
    processes: int
    leaks: tuple[Leak, ...]


class _Answer(msgspec.Struct):
    files: int
    processes: int
    found: list[tuple[str, str]]


def leaks(known: Known, state: StateDir, values: Mapping[str, str]) -> tuple[Looked, ...]:
    """Search each host and this machine for `values`, given by name; all at the same time.

    Raises HostError for a host that is not reached, and ValueError where there is nothing to search for."""
    _refuse_short(values)
    with ThreadPoolExecutor(len(known) + 1) as pool:
        there = [pool.submit(_there, reach(name, known, state), state, values) for name in known]
        here = pool.submit(on_this_machine, values, operators(state))
        return (*(each.result() for each in there), here.result())


def _there(at: Reach, state: StateDir, values: Mapping[str, str]) -> Looked:
    """A host that is this machine is searched without its people's own files, and without the vault."""
    if not at.is_local:
        return on_host(at, values)
    folders = [folder for folder in HOST_FOLDERS if folder not in PEOPLES]
    return on_host(at, values, Search(folders=folders, skipped=(*HOST_SKIPPED, str(state.secrets.resolve()))))


def on_host(at: Reach, values: Mapping[str, str], where: Search | None = None) -> Looked:
    """Search one host, as root. Raises HostError: not reached, or no answer."""
    result = at.run(at.as_root("python3 -"), program(values, where or Search()), timeout=SECONDS)
    if result.code:
        last = result.err.strip().splitlines()[-1:] or ["nothing"]
        raise HostError(f"the search for leaks ended with {result.code}: {last[0]}", at.host_name)
    return _looked(at.host_name, msgspec.json.decode(result.out, type=_Answer))


def program(values: Mapping[str, str], where: Search) -> bytes:
    """What a host's Python reads from its standard input: the agent and what to search for."""
    source = resources.files("himari.proof").joinpath("leak_agent.py").read_text()
    asked = json.dumps({**msgspec.to_builtins(where), "values": dict(values)})
    return f"{source}\n\nmain(json.loads({asked!r}))\n".encode()


def on_this_machine(values: Mapping[str, str], where: Search) -> Looked:
    """Search the operator's machine, as the user who runs this."""
    asked = {**msgspec.to_builtins(where), "values": dict(values)}
    return _looked(HERE, msgspec.convert(search_here(asked), _Answer))


def operators(state: StateDir) -> Search:
    """Where the operator's machine is searched: the stack's state, evidence and logs, all but the vault itself."""
    others = (state_root() / "faults", PROJECT / "pyinfra-debug.log", Path("/var/log"))
    skipped = (str(state.secrets), "/var/log/journal")
    return Search(folders=(str(state.path), *map(str, others)), skipped=skipped)


@contextmanager
def watching(values: Mapping[str, str], proc: str = "/proc") -> Iterator[set[Leak]]:
    """The leaks in arguments and variables of processes that run during the block, however short.

    It is this machine's processes, and those of a lab's hosts, which run on it. Processes that live for less than
    50 ms may be missed."""
    _refuse_short(values)
    found: set[Leak] = set()
    over = threading.Event()
    sought = needles(dict(values))

    def look() -> None:
        while not over.wait(WATCH_S):
            found.update(Leak(host=HERE, place=place, name=name) for place, name in processes(proc, sought))

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield found
    finally:
        over.set()
        watcher.join()


def _looked(host: str, answer: _Answer) -> Looked:
    found = tuple(Leak(host=host, place=place, name=name) for place, name in answer.found)
    return Looked(host=host, files=answer.files, processes=answer.processes, leaks=found)


def _refuse_short(values: Mapping[str, str]) -> None:
    """A short value is found by chance, and without any the search proves nothing."""
    short = [name for name, value in values.items() if len(value) < 16]
    if short or not values:
        raise ValueError(f"nothing to search for, or too short to tell from chance: {', '.join(short) or 'no value'}")
