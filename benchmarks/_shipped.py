"""The files of a component as a host of a stack gets them."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from himari.apply.render import render
from himari.apply.values import Values
from himari.catalog.component import Feed, View
from himari.catalog.registry import declaration
from himari.stack.known import KnownHost
from himari.stack.model import Access, Stack
from himari.stack.paths import StateDir


def shipped(stack: Stack, name: str, host: str, vault: Path) -> Mapping[str, str]:
    """Text by path on the host, with addresses of documentation and secrets made in the folder `vault`."""
    stack = msgspec.structs.replace(stack, access=Access(ssh_from=("192.0.2.1/32",)))
    known = {
        each: KnownHost(address=f"192.0.2.{place}", wireguard_public_key="A" * 43 + "=")
        for place, each in enumerate(stack.hosts, start=2)
    }
    view = View(stack=stack, host_name=host, known=known, feed=Feed())
    values = Values.open(stack, known, StateDir(vault))
    return {one.file.path: one.content.decode() for one in render(declaration(name)(view), view, values)}
