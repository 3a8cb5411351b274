"""The stack's hosts as pyinfra's own command line wants them."""

import os
from typing import Any

from himari.catalog.accounts import DEPLOY_USER
from himari.ssh.config import identity, write_config
from himari.ssh.connection import LOCAL
from himari.stack.errors import HimariError, HostError, StackFileError
from himari.stack.known import read_known
from himari.stack.load import load_stack
from himari.stack.paths import StateDir


def native_hosts() -> list[tuple[str, dict[str, Any]]]:
    """All hosts of the stack that HIMARI_STACK names, with their addresses and pinned keys.

    Ends the program with a line that says what to do, without HIMARI_STACK or before the hosts were met."""
    try:
        return _hosts()
    except HimariError as error:
        raise SystemExit(f"himari: {error}") from None


def _hosts() -> list[tuple[str, dict[str, Any]]]:
    name = os.environ.get("HIMARI_STACK", "")
    if not name:
        hint = "HIMARI_STACK=lab-edge pyinfra inventories/hosts.py deploy/day02_redis.py -y"
        raise StackFileError("HIMARI_STACK is not set", "inventories/hosts.py", "the name of a stack", hint)
    stack = load_stack(name)
    state = StateDir.of(stack.name)
    if not state.hosts.exists():
        raise HostError("the hosts were not met yet", str(state.hosts), "addresses and keys", f"run: himari up {name}")
    known = read_known(state.hosts)
    config = write_config(stack, known, state)
    shared = {"ssh_config_file": str(config), "ssh_known_hosts_file": str(state.ssh / "known_hosts")}
    shared |= {"ssh_user": DEPLOY_USER, "ssh_strict_host_key_checking": "yes"}
    key = identity(stack, state)
    hosts: list[tuple[str, dict[str, Any]]] = []
    for host_name, host in known.items():
        about: dict[str, Any] = {"himari_host": host_name}
        if host.address == LOCAL:
            hosts.append(("@local", about))
            continue
        about |= {**shared, "ssh_hostname": host.address, "ssh_port": host.ssh_port}
        hosts.append((host_name, {**about, "ssh_key": str(key)} if key else about))
    return hosts
