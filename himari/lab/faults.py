"""Faults of a lab, all that there are: put in force, listed, healed.

Each function returns once its fault is really in force, may be called again, and outlives its caller: what is in force
is read from the kernel, never from a note. Raises, beyond what each says: HostError for an unknown host, LockedError
when a run holds the lab."""

from collections.abc import Iterator, Sequence

import msgspec

from himari.lab import disk, freezer, latency, memory, partition, power, rules, shaping
from himari.lab.lock import Held, held
from himari.lab.rules import Rule
from himari.lab.standing import Standing, standing

__all__ = [
    "Fault",
    "Standing",
    "active",
    "cut",
    "delay",
    "fill_disk",
    "hang",
    "heal",
    "limit_memory",
    "loss",
    "power_off",
    "power_on",
    "rate",
    "standing",
]


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One fault in force."""

    kind: str  # the verb of `himari lab` that makes it
    host: str
    peer: str = ""  # the host at the other end, for faults of the way from `host`
    value: float = 0.0  # percent, milliseconds, bytes a second, or bytes; 0 where the kind has none

    def __str__(self) -> str:
        way = f"{self.host} -> {self.peer}" if self.peer else self.host
        return f"{self.kind} {way}{SAID.get(self.kind, '').format(self.value)}"


SAID = {
    "loss": " {:g} %",
    "delay": " {:g} ms",
    "rate": " {:.0f} B/s",
    "limit-memory": " {:.0f} B",
    "fill-disk": " {:.0f} B free",
}


def cut(lab: Standing, a: str, b: str, one_way: bool = False) -> tuple[Fault, ...]:
    """Let nothing through between `a` and `b`; `one_way`: from `a` to `b` only, answers still come."""
    lab.require(a, b)
    with held(lab.lab.lock) as lock:
        return _of_rules(partition.cut(lab, a, b, one_way, lock))


def loss(lab: Standing, a: str, b: str, percent: float) -> tuple[Fault, ...]:
    """Lose `percent` (0.1 to 100) of the frames between `a` and `b`, each way. Raises StackFileError."""
    lab.require(a, b)
    with held(lab.lab.lock) as lock:
        return _of_rules(partition.loss(lab, a, b, percent, lock))


def delay(lab: Standing, a: str, b: str, milliseconds: float) -> tuple[Fault, ...]:
    """Hold each frame between `a` and `b` for `milliseconds`, each way. Raises StackFileError beyond 5 s."""
    lab.require(a, b)
    made = [Rule("delay", source, target, milliseconds) for source, target in partition.ways(a, b, False)]
    with held(lab.lab.lock) as lock:
        return _of_rules(latency.delay(lab, made, lock))


def rate(lab: Standing, a: str, b: str, bytes_per_s: int) -> tuple[Fault, ...]:
    """Let no more than `bytes_per_s` through between `a` and `b`, each way. Raises StackFileError below 1000."""
    lab.require(a, b)
    made = [Rule("rate", source, target, bytes_per_s) for source, target in partition.ways(a, b, False)]
    with held(lab.lab.lock) as lock:
        return _of_rules(shaping.rate(lab, made, lock))


def hang(lab: Standing, host: str) -> Fault:
    """Freeze all processes of `host`. Raises HostError when it is off."""
    with held(lab.lab.lock):
        freezer.hang(lab, host)
    return Fault(kind="hang", host=host)


def power_off(lab: Standing, host: str) -> Fault:
    """Cut the power of `host`: it falls silent at once and nothing boots it but `power_on`, `heal` and `up`."""
    with held(lab.lab.lock) as lock:
        power.off(lab, host, lock)
    return Fault(kind="power-off", host=host)


def power_on(lab: Standing, host: str) -> None:
    """Boot `host` and wait for its ssh. Raises HostError when it hangs or does not answer."""
    with held(lab.lab.lock) as lock:
        power.on_again(lab, host, lock)


def fill_disk(lab: Standing, host: str, leave: int = 0) -> Fault:
    """Leave `leave` bytes free on the disk of `host`. Raises StackFileError, CapacityError, HostError (see disk.fill).

    It takes nothing of this machine's disk."""
    with held(lab.lab.lock):
        disk.fill(lab, host, leave)
    return Fault(kind="fill-disk", host=host, value=leave)


def limit_memory(lab: Standing, host: str, size: int) -> Fault:
    """Hold `host` to `size` bytes of memory. Raises StackFileError, CapacityError, HostError (see memory.limit)."""
    with held(lab.lab.lock):
        memory.limit(lab, host, size)
    return Fault(kind="limit-memory", host=host, value=size)


def active(lab: Standing) -> tuple[Fault, ...]:
    """All faults in force, those of ways first."""
    ways = _of_rules([one.rule for one in rules.loaded(lab.lab)])
    return (*ways, *(fault for host in lab.hosts for fault in _of_host(lab, host)))


def heal(lab: Standing, hosts: Sequence[str] = ()) -> tuple[Fault, ...]:
    """End all faults, or those that touch one of `hosts`, and return what they were; none is no error.

    Ways first, so that a host that boots finds its neighbours."""
    lab.require(*hosts)
    chosen = tuple(hosts) or lab.hosts
    with held(lab.lab.lock) as lock:
        return (*_heal_ways(lab, chosen, lock), *(fault for host in chosen for fault in _heal_host(lab, host, lock)))


def _heal_ways(lab: Standing, hosts: Sequence[str], under: Held) -> tuple[Fault, ...]:
    doomed = rules.touching(lab.lab, hosts)
    rules.unload(lab.lab, doomed, under)
    healed = [one.rule for one in doomed]
    shaping.clear(lab, healed, under)
    latency.clear(lab, under, max((one.value for one in healed if one.kind == "delay"), default=0) / 1000)
    return _of_rules(healed)


def _heal_host(lab: Standing, host: str, under: Held) -> Iterator[Fault]:
    for fault in tuple(_of_host(lab, host)):
        match fault.kind:
            case "hang":
                freezer.thaw(lab, host)
            case "limit-memory":
                memory.lift(lab, host)
            case "fill-disk":
                disk.drain(lab, host)
            case "power-off":
                power.on_again(lab, host, under)
        yield fault


def _of_host(lab: Standing, host: str) -> Iterator[Fault]:
    if (left := disk.filled(lab, host)) is not None:
        yield Fault(kind="fill-disk", host=host, value=left)
    if not lab.powered(host):
        yield Fault(kind="power-off", host=host)
        return
    if freezer.hangs(lab, host):
        yield Fault(kind="hang", host=host)
    if (size := memory.limited(lab, host)) is not None:
        yield Fault(kind="limit-memory", host=host, value=size)


def _of_rules(in_force: Sequence[rules.Rule]) -> tuple[Fault, ...]:
    return tuple(Fault(kind=one.kind, host=one.source, peer=one.target, value=one.value) for one in in_force)
