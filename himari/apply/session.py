"""pyinfra in this process: facts and operations on several hosts at the same time."""

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.host import Host
from pyinfra.api.inventory import Inventory
from pyinfra.api.operation import add_op
from pyinfra.api.operations import run_ops
from pyinfra.api.state import State
from pyinfra.context import ctx_host, ctx_state

from himari.apply import bundle, trees, wheelhouse
from himari.apply.agent import wire
from himari.apply.answer import state_of
from himari.apply.connector import OpenSsh
from himari.apply.desired import HostDesired
from himari.apply.difference import Comparison
from himari.apply.facts import HostState, query_stream
from himari.apply.operations import Job, activate
from himari.apply.waiting import STOPPING, settled
from himari.ssh.connection import Reach
from himari.stack.errors import DeployError

Listen = Callable[[str, str], None]  # host, what is being done there now
Asked = Mapping[str, tuple[Reach, wire.Query]]

# What pyinfra says is in our errors and progress; the terminal belongs to the command.
logging.getLogger("pyinfra").addHandler(logging.NullHandler())
logging.getLogger("pyinfra").propagate = False


def ask(asked: Asked, listen: Listen) -> dict[str, wire.State]:
    """The states of all hosts, one command each, all at the same time.

    Raises HostError for a host that cannot be reached, DeployError for one that does not answer."""
    with _session({name: reach for name, (reach, _) in asked.items()}, listen) as state:
        waiting = {
            host.name: state.pool.spawn(settled, _fact, state, host, *asked[host.name]) for host in state.inventory
        }
        state.pool.join()
        return {name: each.get().result() for name, each in waiting.items()}


def perform(day: str, jobs: Sequence[Job], listen: Listen) -> None:
    """Run all `jobs` at the same time; what came of each is in it."""
    if not jobs:
        return
    by_name = {job.reach.host_name: job for job in jobs}
    with _session({name: job.reach for name, job in by_name.items()}, listen) as state:
        for host in state.inventory:
            add_op(state, activate, by_name[host.name], name=f"{day}: activate", host=host)
        try:
            run_ops(state)
        except PyinfraError as error:
            if all(job.error is None and job.report is None for job in jobs):
                raise DeployError(f"{day}: {error}") from error


def compare(wanted: HostDesired, state: wire.State, operator_key: str) -> Comparison:
    """`wanted` against `state`; only now is known for which Python the wheels are."""
    digests = {each.venv: wheelhouse.digest(each, state.python) for each in wanted.whole.artifacts}
    digests |= {each.link: trees.digest(each) for each in wanted.whole.trees}
    return Comparison(wanted.whole, state, digests, operator_key)


def sudo_at(reach: Reach) -> bool:
    """Whether commands there need sudo to be root's."""
    return not (reach.is_local and os.geteuid() == 0)


@contextmanager
def _session(reaches: Mapping[str, Reach], listen: Listen) -> Iterator[State]:
    data = {name: {"himari_reach": reach, "himari_listen": _for(name, listen)} for name, reach in reaches.items()}
    inventory = Inventory((list(data.items()), {}))  # type: ignore[no-untyped-call]  # pyinfra's own
    for host in inventory:
        host.connector_cls = OpenSsh
    state = State(inventory, check_for_changes=False)
    with ctx_state.use(state):
        for host in inventory:
            host.connect()
            state.activate_host(host)
        try:
            yield state
        except KeyboardInterrupt:
            # Hosts go on whatever becomes of us; only one that was seen to its end is in the state that we tell of.
            for name in reaches if len(state.pool) else ():
                listen(name, STOPPING)
            state.pool.join()
            raise


def _why(reach: Reach) -> str:
    """What shows why a host gives no answer, and how to get in all the same."""
    asks = "sudo -n true" if reach.is_local else f"ssh -F {reach.config} {reach.host_name} sudo -n -l"
    return f"`{asks}` says why; himari lab shell {reach.host_name} gets into a lab's host without it"


def _for(name: str, listen: Listen) -> Callable[[str], None]:
    return lambda what: listen(name, what)


def _fact(state: State, host: Host, reach: Reach, query: wire.Query) -> wire.State:
    with ctx_state.use(state), ctx_host.use(host):
        answer = host.get_fact(
            HostState, reach.as_root(bundle.COMMAND), _stdin=query_stream(query), _ignore_errors=True
        )
    return state_of(answer, host.name, _why(reach))
