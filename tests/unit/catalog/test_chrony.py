from collections.abc import Callable
from typing import Any

from himari.catalog.component import View

Render = Callable[[str, View], Any]
Shipped = Callable[..., View]


def test_the_clock_serves_nobody_and_does_not_jump(rendered: Render, view: Shipped) -> None:
    chrony = rendered("chrony", view("lab-edge", "edge"))
    (text,) = chrony.files.values()
    assert "\nport 0\ncmdport 0\n" in text
    assert "\nmakestep 0.1 3\n" in text
    assert chrony.component.listens_on == ()


def test_a_container_does_not_run_it(rendered: Render, view: Shipped) -> None:
    (unit,) = rendered("chrony", view("lab-edge", "edge")).component.units
    assert unit.unless_container
