"""What a deploy file calls: in a pyinfra run its day's activation on that host, outside of one nothing."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyinfra
from pyinfra.context import host

from himari.apply import bundle
from himari.apply.access import admit_operator
from himari.apply.answer import state_of
from himari.apply.desired import desired
from himari.apply.facts import HostState, query_stream
from himari.apply.feed import read_feed
from himari.apply.operations import Job, activate
from himari.apply.session import compare, sudo_at
from himari.apply.values import Values
from himari.catalog.component import View
from himari.catalog.days import days
from himari.ssh.config import operator_key
from himari.ssh.connection import reach
from himari.stack.known import read_known
from himari.stack.load import load_stack
from himari.stack.paths import StateDir


def deploy(file: str, roles: Mapping[str, Sequence[str]]) -> None:
    """Bring pyinfra's current host to what the day in `file` says for its roles: one fact, one stream, one activation.

    Without a pyinfra run (the file is imported) nothing happens. Raises HostError for a host that is not reached,
    DeployError for one that cannot answer."""
    if not pyinfra.is_cli:
        return
    day = Path(file).stem
    components = sorted({name for names in roles.values() for name in names})
    activate(job=job(day, host.data.get("himari_host")), name=f"{day}: {', '.join(components)}")


def job(day: str, host_name: str) -> Job:
    """What `day` has to do on the host, by one fact. The stack is the one that HIMARI_STACK names."""
    stack = load_stack(os.environ["HIMARI_STACK"])
    state = StateDir.of(stack.name)
    known = read_known(state.hosts)
    at = reach(host_name, known, state)
    view = View(stack=admit_operator(stack, known), host_name=host_name, known=known, feed=read_feed(state))
    wanted = desired(view, days(), Values.open(stack, known, state))
    part = wanted.days[day]
    answer = state_of(
        host.get_fact(HostState, at.as_root(bundle.COMMAND), _stdin=query_stream(part.query())), host_name
    )
    comparison = compare(wanted, answer, operator_key(stack, state))
    activation, uploads = comparison.difference(part).activation, comparison.uploads(part)
    return Job(activation=activation, reach=at, sudo=sudo_at(at), uploads=uploads, python=answer.python)
