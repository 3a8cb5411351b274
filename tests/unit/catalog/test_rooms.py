"""One key, many rooms: a component's name is the same in the catalogue, templates, validation, tests and days."""

from collections import defaultdict
from pathlib import Path

import pytest

from himari.apply.agent.places import Places
from himari.catalog.component import Place, View
from himari.catalog.days import days
from himari.catalog.graph import probes
from himari.catalog.host import components
from himari.catalog.hostpaths import UNITS
from himari.catalog.links import links
from himari.catalog.registry import NAMES, WHOLE_HOST, declaration
from himari.stack.load import load_stack
from himari.stack.paths import INVENTORIES, TEMPLATES, VALIDATION

STACKS = sorted(path.stem for path in INVENTORIES.glob("*.toml"))
HERE = Path(__file__).parent
WITHOUT_FILES = {"runtime"}  # an environment and nothing else

PLACES = [(stack, host) for stack in STACKS for host in load_stack(stack).hosts]


def planned() -> dict[str, set[str]]:
    found = defaultdict(set)
    for day in days():
        for names in day.roles.values():
            for name in names:
                found[name].add(day.name)
    return found


def test_each_component_is_in_exactly_one_day_and_each_day_names_components_only() -> None:
    assert {name: len(where) for name, where in planned().items()} == dict.fromkeys(NAMES, 1)


@pytest.mark.parametrize("name", NAMES)
def test_a_component_says_its_own_name(name: str) -> None:
    view = next(
        View(stack=load_stack(stack), host_name=host)
        for stack, host in PLACES
        for _, part in components(View(stack=load_stack(stack), host_name=host))
        if part.name == name
    )
    assert declaration(name)(view).name == name


def test_templates_have_a_folder_for_each_component_and_no_other() -> None:
    assert {path.name for path in TEMPLATES.iterdir()} == set(NAMES) - WITHOUT_FILES


def test_each_component_is_proven_on_its_day_and_nothing_else_is() -> None:
    proven = {path.stem.removeprefix("test_"): path.parent.name for path in VALIDATION.glob("day*/test_*.py")}
    assert proven == {name: next(iter(where)) for name, where in planned().items()}


def test_each_component_has_a_test_of_its_own() -> None:
    tested = {path.stem.removeprefix("test_") for path in HERE.glob("test_*.py")}
    assert set(NAMES) <= tested


def test_each_template_is_rendered_by_a_shipped_stack() -> None:
    asked = {
        (part.name, file.template or f"{file.path.lstrip('/')}.j2")
        for stack, host in PLACES
        for _, part in components(View(stack=load_stack(stack), host_name=host))
        for file in part.files
    }
    there = {
        (path.relative_to(TEMPLATES).parts[0], str(Path(*path.relative_to(TEMPLATES).parts[1:])))
        for path in TEMPLATES.rglob("*")
        if path.is_file()
    }
    assert there == asked


@pytest.mark.parametrize(("stack_name", "host"), PLACES, ids="-".join)
def test_each_listener_off_loopback_has_an_off_host_probe(stack_name: str, host: str) -> None:
    stack = load_stack(stack_name)
    graph = links(View(stack=stack, host_name=host))
    tried = {(probe.port, probe.protocol) for probe in probes(stack, {}) if probe.to_host == host}
    bound = {
        (one.port, one.protocol)
        for one in graph.listeners(host)
        if one.place is not Place.LOOPBACK and not (stack.hosts[host].existing and one.place is Place.PUBLIC)
    }
    assert bound
    assert bound <= tried


@pytest.mark.parametrize(("stack_name", "host"), PLACES, ids="-".join)
def test_a_unit_watches_only_what_its_host_gets(stack_name: str, host: str) -> None:
    parts = [part for _, part in components(View(stack=load_stack(stack_name), host_name=host))]
    known = {file.path for part in parts for file in part.files}
    known |= {each.name for part in parts for each in (*part.artifacts, *part.trees)}
    known |= {credential.name for part in parts for credential in part.credentials}
    watched = {name for part in parts for unit in part.units for name in unit.watches}
    assert watched <= known


@pytest.mark.parametrize(("stack_name", "host"), PLACES, ids="-".join)
def test_a_tree_is_linked_where_unused_ones_are_looked_for(stack_name: str, host: str) -> None:
    parts = [part for _, part in components(View(stack=load_stack(stack_name), host_name=host))]
    assert {str(Path(tree.link).parent) for part in parts for tree in part.trees} <= {str(Places().trees.parent)}


@pytest.mark.parametrize(("stack_name", "host"), PLACES, ids="-".join)
def test_no_two_components_of_a_host_write_one_file(stack_name: str, host: str) -> None:
    parts = [part for _, part in components(View(stack=load_stack(stack_name), host_name=host))]
    paths = [file.path for part in parts for file in part.files]
    assert len(paths) == len(set(paths))
    assert any(path.startswith(UNITS) for path in paths)


def test_a_machine_of_the_users_own_gets_nothing_that_makes_it_ours() -> None:
    brain = View(stack=load_stack("vps-brain"), host_name="brain")
    got = [part.name for _, part in components(brain)]
    assert got == ["wireguard", "nftables", "runtime", "consumer", "deadman", "self_check"]
    assert not set(got) & WHOLE_HOST
