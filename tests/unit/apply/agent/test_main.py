"""Whatever is wrong with the files on a host, the agent answers, and its answer names the file."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from himari.apply.agent import accounts, units
from himari.apply.agent.main import answer
from himari.apply.agent.places import Places
from himari.apply.agent.wire import DirectoryChange, UnitChange

TOKEN = "0123456789abcdef"
EMPTY_ACTIVATION: dict[str, Any] = {
    **{key: [] for key in ("packages", "users", "directories", "environments", "trees", "files", "masked", "units")},
    "credentials": {},
}


@pytest.fixture
def places(tmp_path: Path) -> Places:
    folders = {
        name: tmp_path / name
        for name in ("run", "lib", "etc", "system", "credstore", "wheels", "environments", "trees", "policy")
    }
    return Places(**folders)


@pytest.mark.parametrize(
    ("verb", "request_", "spoiled"),
    [
        ("activate", {**EMPTY_ACTIVATION, "credentials": {"a": "x"}}, lambda places: places.credential_key),
        ("state", {}, lambda places: places.run / "lock"),
        ("activate", EMPTY_ACTIVATION, lambda places: places.run / "lock"),
        ("activate", {**EMPTY_ACTIVATION, "credentials": {"a": "x"}}, lambda places: places.credential_marks),
        ("confirm", {"token": TOKEN}, lambda places: places.guards / f"{TOKEN}.kept"),
    ],
    ids=["key", "lock", "lock of an activation", "marks", "guard"],
)
def test_a_folder_in_a_files_place_is_named(
    places: Places, verb: str, request_: dict[str, Any], spoiled: Callable[[Places], Path]
) -> None:
    (places.guards / TOKEN).mkdir(parents=True)
    path = spoiled(places)
    (path / "something").mkdir(parents=True)
    told = answer(verb, request_, places)["failure"]
    assert told is not None
    assert str(path) in told["what"]


def test_a_step_that_fails_in_an_unforeseen_way_is_told_with_its_line(places: Places, tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    told = answer("state", {"environments": [str(loop)]}, places)["failure"]
    assert told is not None
    assert str(loop) in told["what"]


def test_a_request_that_the_agent_does_not_know_is_told(places: Places) -> None:
    told = answer("state", {"nonsense": 1}, places)["failure"]
    assert "nonsense" in told["what"]
    assert "Query(**request)" in " ".join(told["lines"])


def test_a_digest_that_is_no_text_counts_as_unknown(places: Places) -> None:
    places.units.mkdir(parents=True)
    (places.units / "x.service").write_bytes(b"\xff\xfe\x00")
    assert units.noted("x.service", places) not in ("", "0" * 64)


def test_an_activation_that_is_cut_off_leaves_no_unit_that_seems_to_run_what_it_put(
    places: Places, tmp_path: Path
) -> None:
    places.units.mkdir(parents=True)
    (places.units / "x.service").write_text("digest")
    (tmp_path / "file").touch()
    unit = UnitChange("x.service", "digest", False, True, False, [], 1, guarded=False)
    below_a_file = DirectoryChange(str(tmp_path / "file" / "x"), 0o755, "root", "root")
    request = EMPTY_ACTIVATION | {"units": [asdict(unit)], "directories": [asdict(below_a_file)]}
    assert answer("activate", request, places)["failure"] is not None
    assert units.noted("x.service", places) == ""


def test_an_authorized_keys_that_is_no_text_keeps_its_lines(tmp_path: Path) -> None:
    path = tmp_path / ".ssh" / "authorized_keys"
    path.parent.mkdir()
    path.write_bytes(b"# caf\xe9\nssh-ed25519 AAAA me\n")
    assert accounts.keys(str(tmp_path)) == ["# caf\udce9", "ssh-ed25519 AAAA"]
