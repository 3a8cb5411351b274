"""One look at each host of a running stack, all at the same time."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from shlex import quote
from typing import Any

import msgspec

from himari.apply.feed import read_feed
from himari.catalog import hostpaths
from himari.catalog.collector import VENUE_CA
from himari.catalog.component import Component, PublicFile, View
from himari.catalog.self_check import FIRST_LOOK_MOST_S, question
from himari.proof.certificates import read
from himari.runs import status_probe
from himari.runs.halfway import half_destroyed, remedy
from himari.runs.labs import faults_in_force, silenced
from himari.runs.plan import components
from himari.runs.progress import Event, Listener
from himari.runs.status import Certificate, HostStatus, Probe, StackStatus, read_probe
from himari.runs.strays import departed_says
from himari.runs.verdict import ON_HOST, judge
from himari.ssh import connection
from himari.stack.errors import HostError
from himari.stack.known import Known, read_known
from himari.stack.model import Stack
from himari.stack.paths import StateDir

TIMEOUT_S = 40.0
HEALTH_S = 8.0  # of each service
STEP = "status"


def look(stack: Stack, listener: Listener) -> StackStatus:
    """How the hosts of `stack` are doing; a host that does not answer is part of the answer.

    Raises HostError when nothing is known of any of them."""
    state = StateDir.of(stack.name)
    known, half, silent = read_known(state.hosts), half_destroyed(state), silenced(stack, state)
    if not half and not known.keys() & stack.hosts.keys():
        connection.reach(next(iter(stack.hosts)), known, state)

    def one(name: str) -> HostStatus:
        listener(Event(step=STEP, host=name, says="looking", seconds=0.0))
        if name in silent:
            raise silent[name]
        enter = f"himari lab exec {name} -- " if stack.is_lab else ON_HOST
        seen = _look(connection.reach(name, known, state), wanted(stack, known, state, name))
        return judge(name, seen, stack.retention, enter, FIRST_LOOK_MOST_S)

    with ThreadPoolExecutor(len(stack.hosts)) as pool:
        hosts = tuple(pool.map(lambda name: _or_wrong(name, one), stack.hosts))
    faults = faults_in_force(stack, state)
    ok = not half and not faults and not any(host.wrong for host in hosts)
    told = f"{half}: {remedy(state)}" if half else ""
    over = departed_says(stack, known)
    return StackStatus(stack=stack.name, ok=ok, hosts=hosts, half=told, faults=faults, strays=over, shared=stack.is_lab)


def wanted(stack: Stack, known: Known, state: StateDir, name: str) -> dict[str, Any]:
    """What the probe shall look at on host `name`."""
    view = View(stack=stack, host_name=name, known=known, feed=read_feed(state))
    noted = {"cutover": hostpaths.CUTOVER, "self_checks": hostpaths.SELF_CHECKS}
    parts = components(view)
    held = {"certificates": sorted(set(_certificates(parts)))}
    return question(view, parts) | noted | held | {"patience_s": HEALTH_S}


def _certificates(parts: Iterable[Component]) -> Iterator[str]:
    """Where the certificates of the stack's CA are; those of the venue's are their owner's to renew."""
    for file in (file for part in parts for file in part.files):
        if any(isinstance(value, PublicFile) and value.name != VENUE_CA for value in file.values.values()):
            yield file.path


def _look(reach: connection.Reach, what: dict[str, Any]) -> Probe:
    command = reach.as_root(f"python3 - {quote(json.dumps(what))}")
    result = reach.run(command, Path(status_probe.__file__).read_bytes(), timeout=TIMEOUT_S)
    if result.code:
        last = result.err.strip().splitlines()[-1:] or ["nothing"]
        raise HostError(f"the probe ended with {result.code}: {last[0]}", reach.host_name)
    seen = msgspec.json.decode(result.out, type=_Texts)
    return msgspec.structs.replace(read_probe(result.out.encode()), certificates=tuple(_held(seen.pem)))


class _Texts(msgspec.Struct):
    """Of the probe's answer what is read here, as a host has nothing that reads it: certificates by their paths."""

    pem: Mapping[str, str] = {}


def _held(texts: Mapping[str, str]) -> Iterator[Certificate]:
    for path, text in texts.items():
        try:
            left = read(text.encode()).days_left
        except ValueError:
            left = 0.0  # the file is there and holds none
        yield Certificate(name=PurePosixPath(path).name, days_left=left)


def _or_wrong(name: str, one: Callable[[str], HostStatus]) -> HostStatus:
    try:
        return one(name)
    except HostError as error:
        wrong = f"{error.what} ({error.hint})" if error.hint else error.what
        return HostStatus(host=name, probe=None, wrong=(wrong,))
