"""What would restart on a stack's hosts, by the catalogue's real values."""

from collections.abc import Mapping

from himari.apply.desired import Desired, desired
from himari.apply.values import Values
from himari.catalog.component import View
from himari.catalog.days import days
from himari.stack.model import Stack
from himari.stack.paths import StateDir
from tests.unit.catalog.conftest import met


def digests(stack: Stack, state: StateDir) -> Mapping[str, str]:
    """The digest of what each unit of the stack shall run, by "host: unit"."""
    values = Values.open(stack, met(stack), state)
    found = {}
    for name in stack.hosts:
        whole = desired(View(stack=stack, host_name=name, known=met(stack)), days(), values).whole
        found |= {f"{name}: {unit.name}": whole.digest(unit, locks(whole)) for unit in whole.units}
    return found


def locks(whole: Desired) -> Mapping[str, str]:
    """What stands for the digests of a host's wheels and trees: their locks' names."""
    wheels = {artifact.venv: artifact.lock for artifact in whole.artifacts}
    return wheels | {tree.link: tree.lock for tree in whole.trees}


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> set[str]:
    return {unit for unit in after if before[unit] != after[unit]}
