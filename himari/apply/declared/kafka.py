"""The broker's topics, users and rights: compared with what it holds, and brought to what is declared.

The operator comes by a certificate, over ssh, to a listener that the broker has on loopback alone; its port is the same
on this machine, so that what the broker advertises leads through the same way. Whether a user's password is the stack's
is found out by logging in with it: the broker tells nobody more than that a user has one, and what is noted here would
not know of a password that was changed there."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from himari.apply.declared.broker_changes import Changes, changes
from himari.apply.declared.broker_client import Client, Place, logs_in
from himari.apply.declared.services import Means, Report
from himari.catalog import broker, ports
from himari.catalog.component import View
from himari.stack.errors import DeployError
from himari.stack.network import LOOPBACK

IN_FORCE_S = 30.0


def differences(means: Means, host: str) -> tuple[str, ...]:
    """What the broker on `host` lacks, in words. Raises HostError, DeployError."""
    with _client(means, host) as client:
        return _lacking(means, host, client).says


def apply(means: Means, host: str, report: Report) -> tuple[str, ...]:
    """Bring the broker on `host` to what is declared; what was changed, once it is in force.

    Raises HostError, and DeployError also for what would take data away without `means.allow_data_loss`."""
    with _client(means, host) as client:
        found = _lacking(means, host, client)
        if not found.says:
            return ()
        _refuse_losses(found, means, host)
        for line in found.says:
            report(host, line)
        client.make(found, {user.name: means.values.secret(user.secret) for user in found.users})
        _await(means, host, client)
        return found.says


def _lacking(means: Means, host: str, client: Client) -> Changes:
    wanted = broker.declared(View(stack=means.stack, host_name=host, known=means.values.known))
    held = client.held()
    known = [user for user in wanted.users if user.name in held.users]
    at = _place(means, host, ports.KAFKA_LOCAL)
    with ThreadPoolExecutor(max(len(known), 1)) as pool:
        logged_in = pool.map(lambda user: logs_in(at, user.name, means.values.secret(user.secret)), known)
        good = {user.name for user, well in zip(known, logged_in, strict=True) if well}
    return changes(wanted, held, good)


def _refuse_losses(found: Changes, means: Means, host: str) -> None:
    if found.losses and not means.allow_data_loss:
        lines = "".join(f"\n    {line}" for line in found.losses)
        raise DeployError(
            f"the broker would lose data:{lines}",
            host,
            "a declaration that keeps what is there",
            "if it may go: --allow-data-loss",
        )


def _await(means: Means, host: str, client: Client) -> None:
    """Until all is in force: the broker answers before it goes by what it was told."""
    deadline = time.monotonic() + IN_FORCE_S
    while (left := _lacking(means, host, client)).says:
        if time.monotonic() > deadline:
            said = "; ".join(left.says[:3])
            raise DeployError(f"after {IN_FORCE_S:.0f} s the broker still lacks: {said}", host)
        time.sleep(0.1)


@contextmanager
def _client(means: Means, host: str) -> Iterator[Client]:
    issued = means.values.authority.visitor(broker.OPERATOR)
    yield Client(_place(means, host, ports.KAFKA_ADMIN), issued.certificate, issued.key)


def _place(means: Means, host: str, port: int) -> Place:
    door = means.visitor.door(host, LOOPBACK, port, here=port)
    return Place(host=host, address=door.address, port=door.port, ca_file=means.visitor.ca_file)
