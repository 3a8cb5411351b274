from pathlib import Path

import pytest

from himari.catalog.days import days, read_day
from himari.stack.model import Host, Provider, Role


def write(folder: Path, text: str) -> Path:
    path = folder / "day05_broker.py"
    path.write_text(text)
    return path


def test_the_days_come_in_order() -> None:
    names = [day.name for day in days()]
    assert names == sorted(names)
    assert {"day01_host", "day02_redis", "day03_network", "day08_runtime", "day10_cutover"} <= set(names)


def test_a_day_is_read_and_never_run(tmp_path: Path) -> None:
    day = read_day(write(tmp_path, 'ROLES = {"edge": ["one"]}\nraise SystemExit("run")\n'))
    assert day.roles == {Role.EDGE: ("one",)}


def test_a_host_of_two_roles_gets_each_component_once(tmp_path: Path) -> None:
    day = read_day(write(tmp_path, 'ROLES = {"edge": ["one", "two"], "brain": ["two", "three"]}\n'))
    host = Host(provider=Provider.LAB, roles=(Role.EDGE, Role.BRAIN))
    assert day.names(host) == ("one", "two", "three")


@pytest.mark.parametrize("text", ["", "ROLE = {}\n"])
def test_a_day_without_its_literal_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError, match="day05_broker"):
        read_day(write(tmp_path, text))


def test_a_day_of_an_unknown_role_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="edgy"):
        read_day(write(tmp_path, 'ROLES = {"edgy": []}\n'))
