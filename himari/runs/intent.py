"""What a destroy will do, and what it leaves on purpose, a sentence a host."""

from collections.abc import Iterator, Sequence

from himari.catalog import hostpaths
from himari.catalog.accounts import DEPLOY_USER
from himari.runs.create import lab_hosts
from himari.runs.put import departed
from himari.ssh import connection
from himari.stack.errors import StackFileError
from himari.stack.known import Known, KnownHost, read_known
from himari.stack.model import Stack
from himari.stack.nearest import did_you_mean
from himari.stack.paths import StateDir

NEVER_MET = "this host was never met, or given up as gone; nothing is removed there"
GIVEN_UP = "given up as gone: it is forgotten, and whatever is there stays"
DEPARTED = "not in the stack file any more; "


def intent(stack: Stack, gone: Sequence[str] = ()) -> tuple[str, ...]:
    """What a destroy of `stack` would do, a sentence a host, when the hosts in `gone` are given up.

    Raises StackFileError for a name in `gone` that is no host, or a lab's."""
    known = known_hosts(stack, StateDir.of(stack.name))
    for name in gone:
        _check_gone(stack, known, name)
    return tuple(
        f"{name}: {GIVEN_UP if name in gone else _intent(stack, known, name)}" for name in host_names(stack, known)
    )


def _intent(stack: Stack, known: Known, name: str) -> str:
    before = "" if name in stack.hosts else DEPARTED
    if lab_hosts(stack):
        return f"{before}this host and all its data are removed"
    ours = "our units, their files, wg0, our firewall rules and programs are removed; data and access stay"
    return f"{before}{ours}" if name in known else NEVER_MET


def _check_gone(stack: Stack, known: Known, name: str) -> None:
    names = host_names(stack, known)
    if name not in names:
        hint = did_you_mean(name, names)
        raise StackFileError(f"there is no host {name}", f"--gone {name}", f"one of {', '.join(names)}", hint)
    if lab_hosts(stack):
        raise StackFileError("a lab's hosts are removed without being asked", f"--gone {name}", "no --gone")


def host_names(stack: Stack, known: Known) -> tuple[str, ...]:
    """The hosts of the stack file, then those that left it."""
    return (*stack.hosts, *departed(stack, known))


def stays(stack: Stack, known: Known, gone: Sequence[str] = ()) -> Iterator[str]:
    """What a destroy leaves on machines that go on existing, a sentence a host: data, access and what made it safe."""
    for name in () if lab_hosts(stack) else dict.fromkeys((*host_names(stack, known), *gone)):
        if name in gone:
            yield f"{name}: {GIVEN_UP}"
        elif name not in known:
            yield f"{name}: {NEVER_MET}"
        else:
            yield f"{name}: {_stays(stack, known[name], name)}"


def _stays(stack: Stack, known: KnownHost, name: str) -> str:
    existing = name in stack.hosts and stack.hosts[name].existing
    hardening = "" if existing else ", its hardening (ssh, kernel, updates)"
    access = "the login of this machine's user" if known.address == connection.LOCAL else f"the user {DEPLOY_USER}"
    data = f"data in {hostpaths.STATE} and the users that own it"
    key = "" if known.wireguard_key_made else "WireGuard's key that was there before, "
    return f"{data}, packages, {key}{access}{hardening}"


def known_hosts(stack: Stack, state: StateDir) -> Known:
    """The stack's hosts; none when the note is spoiled and all of them are a lab's, which its names alone find."""
    try:
        return read_known(state.hosts)
    except StackFileError:
        if set(lab_hosts(stack)) == set(stack.hosts):
            return {}
        raise
