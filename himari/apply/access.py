"""Whom a lab's hosts let in by ssh: this machine, and nobody else on their bridge."""

import socket

import msgspec

from himari.ssh.connection import LOCAL
from himari.stack.known import Known
from himari.stack.model import Provider, Stack

_DISCARD = 9


def admit_operator(stack: Stack, known: Known) -> Stack:
    """`stack` with this machine's addresses, as its lab hosts see them, among `ssh_from`; any other stack as it is.

    What a stack file says of machines elsewhere is the operator's own decision."""
    hosts = [name for name, host in stack.hosts.items() if host.provider is Provider.LAB and name in known]
    ours = {f"{_source_address(known[name].address)}/32" for name in hosts if known[name].address != LOCAL}
    access = msgspec.structs.replace(
        stack.access, ssh_from=tuple(dict.fromkeys((*stack.access.ssh_from, *sorted(ours))))
    )
    return msgspec.structs.replace(stack, access=access) if ours else stack


def _source_address(destination: str) -> str:
    """The address that this machine's packets to `destination` come from; none is sent to find out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((destination, _DISCARD))
        return str(probe.getsockname()[0])
