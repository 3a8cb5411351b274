from collections.abc import Callable
from typing import Any

from himari.catalog.component import View

Render = Callable[[str, View], Any]
Shipped = Callable[..., View]


def test_the_edges_environment_has_no_parquet_writer(rendered: Render, view: Shipped) -> None:
    (edge,) = rendered("runtime", view("lab-edge", "edge")).component.artifacts
    (brain,) = rendered("runtime", view("lab-edge", "brain")).component.artifacts
    assert (edge.lock, brain.lock) == ("runtime.txt", "consumer.txt")
    assert edge.venv == brain.venv == "/opt/himari/runtime"
