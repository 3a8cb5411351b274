"""What one host is asked, and what it answers, as they cross ssh."""

from importlib import resources
from typing import Any, Literal

import msgspec


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a host tries towards an address. `words` are said to a Redis, after a login if `user` is named.

    A `datagram` is sent over UDP and may be answered."""

    id: str
    kind: Literal["connect", "datagram", "redis"]
    address: str
    port: int
    user: str = ""
    credential: str = ""
    words: tuple[str, ...] = ()


class Peer(msgspec.Struct, frozen=True, kw_only=True):
    """Who is pinged with packets of exactly `mtu` bytes."""

    address: str
    mtu: int


class BufferQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """What the buffer is asked on loopback, as the operator's user."""

    port: int
    user: str
    credential: str
    config: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    streams: tuple[str, ...] = ()


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One probe. `host` false: only attempts, from a place that is no host of the stack."""

    host: bool = True
    units: tuple[str, ...] = ()
    bounded: tuple[str, ...] = ()  # units whose exposure is asked for
    metrics: tuple[str, ...] = ()  # address:port of the host's own services
    files: tuple[str, ...] = ()
    unused_modules: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    peers: tuple[Peer, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    buffer: BufferQuestion | None = None
    trees: tuple[str, ...] = ()  # folders of which each file is looked at


class Answer(msgspec.Struct, frozen=True):
    """What a command said."""

    code: int
    out: str
    err: str = ""
    now: int = 0  # the host's clock, seconds


class FileState(msgspec.Struct, frozen=True):
    sha256: str
    mode: int
    owner: str
    group: str


class Thread(msgspec.Struct, frozen=True):
    name: str
    cpus: str


class Process(msgspec.Struct, frozen=True):
    pid: int
    limits: str
    oom_score_adjust: str | None
    threads: list[Thread]


class Outcome(msgspec.Struct, frozen=True):
    """open, refused, timeout, denied, allowed or error; a datagram that met silence has a timeout."""

    outcome: str
    detail: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.outcome} {self.detail}".strip()


class BufferAnswer(msgspec.Struct, frozen=True):
    info: str = ""
    config: dict[str, list[str]] = {}
    users: dict[str, Any] = {}
    streams: dict[str, Any] = {}
    later: dict[str, Any] = {}  # the same, more than a heartbeat later
    error: str = ""


class Raw(msgspec.Struct, frozen=True):
    """An agent's whole answer."""

    commands: dict[str, Answer]
    processes: dict[str, Process | None]
    pings: dict[str, Answer]
    attempts: dict[str, Outcome]
    files: dict[str, FileState | None]
    texts: dict[str, str | None]
    metrics: dict[str, Answer]
    wireguard: dict[str, Answer]
    buffer: dict[str, BufferAnswer]
    trees: dict[str, dict[str, FileState]] = {}


def agent_source() -> str:
    """The program that answers a question on a host."""
    return resources.files("himari.proof").joinpath("agent.py").read_text()
