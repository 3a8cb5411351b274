"""The runtime: our wheel and what it needs, in an environment of its own."""

from himari.catalog.component import Artifact, Component, Directory, Package, View
from himari.catalog.hostpaths import CONFIG, RUNTIME_VENV, TLS, VENVS
from himari.stack.model import Role

NAME = "himari-runtime"


def component(view: View) -> Component:
    """The environment; a brain alone gets the Parquet writer."""
    lock = "consumer.txt" if Role.BRAIN in view.host.roles else "runtime.txt"
    return Component(
        name="runtime",
        packages=(Package(name="python3-venv"), Package(name="ca-certificates")),
        directories=(Directory(path=CONFIG), Directory(path=TLS), Directory(path=VENVS)),
        artifacts=(Artifact(name=NAME, lock=lock, venv=RUNTIME_VENV),),
    )
