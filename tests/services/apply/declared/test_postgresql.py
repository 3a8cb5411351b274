"""The schema's step of `up`, towards a real server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from himari.apply.declared import postgresql as declared
from himari.apply.declared import services
from himari.catalog import ports
from himari.stack.errors import DeployError
from himari.stack.known import KnownHost
from himari.stack.paths import StateDir
from himari.vault.secrets import Secrets
from tests.services.postgresql import Store, fresh

KNOWN = {"core": KnownHost(address="local")}


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    with fresh(StateDir(tmp_path)) as store:
        monkeypatch.setattr(ports, "POSTGRESQL", store.port)
        yield store


def test_it_applies_what_is_missing_once_and_says_so(store: Store, tmp_path: Path) -> None:
    said: list[str] = []
    with services.means(store.values.stack, KNOWN, StateDir(tmp_path)) as means:
        lacking = declared.differences(means, "core")
        done = declared.apply(means, "core", lambda host, says: said.append(f"{host}: {says}"))
        assert lacking == tuple(f"{name}: apply" for name in done[:-1])
        assert done[0] == "migration 0001.rights"
        assert said == [f"core: {name}" for name in done[:-1]]
        assert declared.differences(means, "core") == declared.apply(means, "core", lambda host, says: None) == ()
    with store.met("reader") as reader:
        assert len(reader.execute("SELECT * FROM upkeep_runs").fetchall()) == 3


def test_a_first_upkeep_that_was_cut_off_is_made_up_for(store: Store, tmp_path: Path) -> None:
    with services.means(store.values.stack, KNOWN, StateDir(tmp_path)) as means:
        declared.apply(means, "core", lambda host, says: None)
        with store.met("owner") as owner:
            owner.execute("DELETE FROM upkeep_runs WHERE task = 'ohlcv_1hour'")
        assert declared.apply(means, "core", lambda host, says: None) == ("partitions and views",)


def test_what_the_server_refuses_names_the_host(store: Store, tmp_path: Path) -> None:
    (Secrets.open(StateDir(tmp_path)).folder / "analytics-owner").write_text("another\n")
    with (
        services.means(store.values.stack, KNOWN, StateDir(tmp_path)) as means,
        pytest.raises(DeployError, match="a login as owner") as error,
    ):
        declared.differences(means, "core")
    assert error.value.where == "core"
    assert "another" not in str(error.value)
