"""What the operator has in place before any host is touched: a key, root's rights here, addresses of machines."""

import os
import subprocess
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, ip_network

from himari.runs.refusal import refusal
from himari.ssh.config import operator_key
from himari.ssh.connection import LOCAL
from himari.stack.errors import HimariError, MachineError, StackFileError, together
from himari.stack.known import read_known
from himari.stack.model import Provider, Stack
from himari.stack.network import is_address
from himari.stack.paths import StateDir

# RFC 5737: no machine has these; the shipped stack file marks with them what is to be edited.
PLACEHOLDERS = tuple(map(IPv4Network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")))


def check_operator(stack: Stack, state: StateDir) -> None:
    """Raise one error with all that is not in place for machines that exist already.

    It is a StackFileError where the stack file is to be edited, whatever else is lacking, and a MachineError else."""
    lacking = [*_placeholders(stack), *_rights(stack, state), *_key_pair(stack, state)]
    if lacking:
        raise together(f"{len(lacking)} things are to be mended first; no host was touched", lacking)


def _rights(stack: Stack, state: StateDir) -> Iterator[HimariError]:
    if os.geteuid() == 0:
        return
    unmet = stack.hosts.keys() - read_known(state.hosts).keys()  # one that was met says so itself
    for name in (name for name, host in stack.hosts.items() if name in unmet and host.address == LOCAL):
        if not _becomes_root():
            hint = "you must be root or have sudo without a password"
            yield MachineError("this user may not become root on this machine", name, "root's rights", hint)


def _becomes_root() -> bool:
    try:
        return subprocess.run(("sudo", "-n", "true"), capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def _key_pair(stack: Stack, state: StateDir) -> Iterator[HimariError]:
    if stack.is_lab:  # which makes its own
        return
    try:
        operator_key(stack, state)
    except (MachineError, OSError) as error:
        yield error if isinstance(error, MachineError) else refusal(error) or MachineError(str(error))


def _placeholders(stack: Stack) -> Iterator[HimariError]:
    elsewhere = {n: h.address for n, h in stack.hosts.items() if h.provider is Provider.STATIC and h.address != LOCAL}
    for name, address in elsewhere.items():
        if is_address(address) and any(IPv4Address(address) in one for one in PLACEHOLDERS):
            where, expected = f"hosts.{name}.address", "the name or the IP address of your machine"
            yield StackFileError(f"{address} is a placeholder", where, expected, "edit it in the stack file")
    for place, network in enumerate(stack.access.ssh_from if elsewhere else ()):
        if ip_network(network, strict=False) in PLACEHOLDERS:
            where, expected = f"access.ssh_from[{place}]", "the networks that you log in from"
            yield StackFileError(f"{network} is a placeholder", where, expected, "edit it in the stack file")
