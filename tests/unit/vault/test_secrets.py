from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from himari.stack.paths import StateDir
from himari.vault.secrets import NOT_MADE, Secrets


@pytest.fixture
def vault(tmp_path: Path) -> Secrets:
    return Secrets.open(StateDir(tmp_path / "lab"))


def test_a_value_is_made_once_and_has_256_bits(vault: Secrets) -> None:
    value = vault.get("redis-pusher")
    assert len(bytes.fromhex(value)) == 32
    assert vault.get("redis-pusher") == value
    assert vault.get("redis-reader") != value


def test_only_the_operator_can_read_them(vault: Secrets) -> None:
    vault.get("redis-pusher")
    assert vault.folder.stat().st_mode & 0o777 == 0o700
    assert (vault.folder / "redis-pusher").stat().st_mode & 0o777 == 0o600


def test_missing_names_are_listed_until_they_are_made(vault: Secrets) -> None:
    vault.get("redis-reader")
    assert vault.missing(["redis-reader", "redis-pusher", "redis-pusher"]) == ("redis-pusher",)
    vault.get("redis-pusher")
    assert vault.missing(["redis-reader", "redis-pusher"]) == ()


@pytest.mark.parametrize("name", ["", "../x", "A", "a/b", "a\n"])
def test_a_name_that_could_leave_the_folder_is_refused(vault: Secrets, name: str) -> None:
    with pytest.raises(ValueError, match="not a secret's name"):
        vault.get(name)


def test_runs_side_by_side_agree_on_one_value(vault: Secrets) -> None:
    with ThreadPoolExecutor(8) as pool:
        values = set(pool.map(lambda _: Secrets(vault.folder).get("shared"), range(32)))
    assert len(values) == 1
    assert [path.name for path in vault.folder.iterdir()] == ["shared"]


def test_the_representation_holds_no_value(vault: Secrets) -> None:
    assert vault.get("redis-pusher") not in repr(vault)


def test_a_look_makes_nothing(tmp_path: Path) -> None:
    state = StateDir(tmp_path / "lab")
    assert Secrets.open(state, makes=False).get("redis-pusher") == NOT_MADE
    assert not state.path.exists()
    made = Secrets.open(state).get("redis-pusher")
    assert Secrets.open(state, makes=False).get("redis-pusher") == made
