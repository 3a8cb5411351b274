"""sops itself encrypts and decrypts, with a key and a folder of the test's own."""

import json
import stat
import subprocess
from pathlib import Path

import pytest

from himari.stack.errors import MachineError, StackFileError
from himari.stack.paths import PROJECT, StateDir
from himari.vault import age
from himari.vault.secrets import NOT_MADE, Secrets
from himari.vault.sops import IN_MEMORY, SopsFile, write_rules
from himari.vault.tools import tool
from tests.unit.sealed import keep

VALUES = {"redis-reader": "5f" * 32, "redis-writer": "a7" * 32}


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    keep(monkeypatch, tmp_path)
    assert age.make_key()
    return age.key_file()


@pytest.fixture
def file(key: Path) -> SopsFile:
    made = SopsFile.of("tokyo")
    write_rules(made.path.parent, age.recipients())
    made.create(VALUES)
    return made


def clear_in(folder: Path) -> list[Path]:
    """The files below `folder` that hold one of the values as it is."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if any(value in path.read_text(errors="replace") for value in VALUES.values())]


def test_the_key_is_made_once_where_sops_looks_and_closed_to_others(key: Path) -> None:
    text = key.read_text()
    key.chmod(0o644)
    assert not age.make_key()
    assert key.read_text() == text
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700
    assert [one[:4] for one in age.recipients()] == ["age1"]


def test_a_key_inside_the_project_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOPS_AGE_KEY_FILE", str(PROJECT / "keys.txt"))
    with pytest.raises(MachineError, match="in the project"):
        age.make_key()
    assert not (PROJECT / "keys.txt").exists()


def test_a_spoiled_key_is_told_with_what_helps(key: Path) -> None:
    key.write_text("")
    with pytest.raises(MachineError, match="age-keygen") as told:
        age.recipients()
    assert told.value.where == str(key)


def test_what_is_written_comes_back_and_stands_nowhere_in_clear(file: SopsFile, tmp_path: Path) -> None:
    assert SopsFile(file.path).values == VALUES
    assert set(file.names) == set(VALUES)
    assert clear_in(tmp_path) == []


def test_another_value_changes_its_own_line_alone(file: SopsFile, tmp_path: Path) -> None:
    before = {line.partition(":")[0]: line for line in file.path.read_text().splitlines()}
    file.put("redis-reader", "c3" * 32)
    after = {line.partition(":")[0]: line for line in file.path.read_text().splitlines()}
    assert file.values == {**VALUES, "redis-reader": "c3" * 32}
    assert {name for name in VALUES if before[name] != after[name]} == {"redis-reader"}
    assert clear_in(tmp_path) == []


def test_a_value_of_any_letters_is_kept_as_it_is(file: SopsFile) -> None:
    url = 'https://example.org/a?b="c"&d=\\e\'f # g: é'
    file.put("webhook", url)
    assert SopsFile(file.path).values["webhook"] == url


def test_no_argument_and_no_variable_holds_a_value(
    file: SopsFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in notes how it is called, and calls the real one."""
    real, log = tool("sops"), tmp_path / "log"
    stand_in = tmp_path / "bin" / "sops"
    stand_in.parent.mkdir()
    stand_in.write_text(f'#!/bin/sh\n{{ printf "%s\\n" "$@"; env; }} >> {log}\nexec {real} "$@"\n')
    stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", str(stand_in.parent), prepend=":")
    file.put("redis-writer", VALUES["redis-writer"])
    file.create(VALUES)
    assert file.values == VALUES
    said = log.read_text()
    assert {"set", "encrypt", "decrypt"} <= set(said.splitlines())
    assert not any(value in said for value in VALUES.values())


def test_another_key_does_not_open_it(file: SopsFile, key: Path) -> None:
    key.unlink()
    assert age.make_key()
    with pytest.raises(StackFileError, match="sops decrypt: Failed to get the data key") as told:
        SopsFile(file.path).values  # noqa: B018
    assert str(key) in told.value.hint


def test_a_file_that_was_tampered_with_is_refused(file: SopsFile) -> None:
    lines = file.path.read_text().splitlines(keepends=True)
    file.path.write_text("".join(line for line in lines if not line.startswith("redis-reader:")))
    with pytest.raises(StackFileError, match="sops decrypt"):
        SopsFile(file.path).values  # noqa: B018


def test_rules_that_are_there_stay(file: SopsFile) -> None:
    rules = file.path.parent / ".sops.yaml"
    rules.write_text("# mine\n")
    assert not write_rules(file.path.parent, ("age1other",))
    assert rules.read_text() == "# mine\n"


def test_an_editor_works_on_a_draft_in_memory(file: SopsFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editor = tmp_path / "editor"
    editor.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/draft\nsed -i s/{"5f" * 32}/{"c3" * 32}/ "$1"\n')
    editor.chmod(0o755)
    monkeypatch.setenv("EDITOR", str(editor))
    assert file.edit()
    assert file.values["redis-reader"] == "c3" * 32
    draft = Path((tmp_path / "draft").read_text().strip())
    assert draft.is_relative_to(IN_MEMORY)
    assert not draft.exists()
    monkeypatch.setenv("EDITOR", "true")
    assert not file.edit()
    monkeypatch.setenv("EDITOR", "false")
    with pytest.raises(StackFileError, match="sops edit ended with"):
        file.edit()


def test_the_vault_reads_from_the_file_and_makes_nothing_beside_it(file: SopsFile, tmp_path: Path) -> None:
    state = StateDir(tmp_path / "state" / "tokyo")
    vault = Secrets.open(state)
    assert vault.get("redis-reader") == VALUES["redis-reader"]
    assert vault.missing(["redis-reader", "redis-pusher"]) == ("redis-pusher",)
    with pytest.raises(StackFileError, match="redis-pusher has no value") as told:
        vault.get("redis-pusher")
    assert told.value.hint == "himari secrets init tokyo"
    assert Secrets.open(state, makes=False).get("redis-pusher") == NOT_MADE
    vault.put("redis-reader", "c3" * 32)
    assert Secrets.open(state).get("redis-reader") == "c3" * 32
    assert list(state.secrets.iterdir()) == []
    assert "5f5f" not in repr(vault)


def test_an_encrypted_value_is_json_whatever_yaml_makes_of_it(file: SopsFile) -> None:
    """A value of digits or a date stays text."""
    file.put("webhook", "2026-01-01")
    shown = subprocess.run(
        [tool("sops"), "decrypt", "--output-type", "json", file.path.name],
        cwd=file.path.parent,
        capture_output=True,
        check=True,
    )
    assert json.loads(shown.stdout)["webhook"] == "2026-01-01"
