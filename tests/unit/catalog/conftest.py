"""The shipped stacks' hosts as they would be rendered, with hosts that have been met and secrets made for the test."""

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import pytest

from himari.apply.render import render
from himari.apply.values import Values
from himari.catalog.component import Component, Feed, View
from himari.catalog.registry import declaration
from himari.stack.known import Known, KnownHost
from himari.stack.load import load_stack
from himari.stack.model import Access, Stack
from himari.stack.paths import StateDir

KEY = "wO5Y3hAqmFSh8Hc6TqQ1c0Yx1G1dUfFy8yqB0vM7vXo="


def shipped(name: str, host: str, feed: Feed | None = None) -> View:
    """A host of a shipped stack, all of whose hosts have been met; a lab's operator stands outside it."""
    stack = load_stack(name)
    if stack.is_lab:
        stack = msgspec.structs.replace(stack, access=Access(ssh_from=("10.200.7.1/32",)))
    return View(stack=stack, host_name=host, known=met(stack), feed=feed or Feed())


def met(stack: Stack) -> Known:
    return {
        name: KnownHost(address=f"10.200.7.{place}", wireguard_public_key=KEY)
        for place, name in enumerate(stack.hosts, start=2)
    }


class Rendered(msgspec.Struct):
    """A component on a host and its files' texts by path."""

    component: Component
    files: Mapping[str, str]


Render = Callable[[str, View], Rendered]
Shipped = Callable[..., View]


@pytest.fixture
def rendered(tmp_path: Path) -> Render:
    def now(name: str, view: View) -> Rendered:
        values = Values.open(view.stack, view.known, StateDir(tmp_path))
        component = declaration(name)(view)
        return Rendered(component, {one.file.path: one.content.decode() for one in render(component, view, values)})

    return now


@pytest.fixture
def view() -> Shipped:
    return shipped
