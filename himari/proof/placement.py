"""Which components are where, by phase."""

from collections.abc import Sequence

import msgspec

from himari.catalog.component import Component, Feed, View
from himari.catalog.host import components
from himari.stack.known import Known
from himari.stack.model import Stack


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """A component on a host."""

    host: str
    phase: str  # the day
    view: View
    component: Component


def units_of(placed: Sequence[Placed]) -> list[tuple[str, list[str]]]:
    """The units of each component, with its host."""
    return [(one.host, [unit.name for unit in one.component.units]) for one in placed]


def placements(stack: Stack, known: Known, feed: Feed) -> tuple[Placed, ...]:
    """All of them, host by host, in the days' order."""
    views = (View(stack=stack, host_name=name, known=known, feed=feed) for name in stack.hosts)
    return tuple(
        Placed(host=view.host_name, phase=phase, view=view, component=component)
        for view in views
        for phase, component in components(view)
    )
