"""A stack's secrets as an operator keeps them, with sops and age themselves."""

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from himari.apply.values import Values, vault_names
from himari.runs.plan import plan
from himari.runs.stack_secrets import check_secrets, edit, init, look, rotate
from himari.stack.errors import LockedError, StackFileError
from himari.stack.load import load_stack
from himari.stack.model import Alerts
from himari.stack.paths import StateDir
from himari.vault.secrets import Secrets
from himari.vault.sops import SopsFile
from tests.unit.sealed import keep

BRAIN = load_stack("vps-brain")
HOOKED = msgspec.structs.replace(BRAIN, alerts=Alerts(webhook="secret"))
LAB = load_stack("lab-edge")
INIT = ("himari", "secrets", "init", "vps-brain")
NAMES = ("redis-exporter", "redis-operator", "redis-pusher", "redis-reader")


@pytest.fixture(autouse=True)
def _own_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(monkeypatch, tmp_path)


@pytest.fixture
def state() -> StateDir:
    return StateDir.of("vps-brain")


def files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def test_init_makes_key_rules_and_a_value_for_each_secret(state: StateDir, tmp_path: Path) -> None:
    report = init(BRAIN, state, INIT)
    assert (report.key_made, report.rules_made) == (True, True)
    assert (report.made, report.moved, report.missing) == (NAMES, (), ())
    values = SopsFile.of("vps-brain").values
    assert {len(bytes.fromhex(values[name])) for name in NAMES} == {32}
    assert len(set(values.values())) == len(NAMES)
    assert not any(value in path.read_text() for path in files(tmp_path) for value in values.values())


def test_init_again_keeps_what_is_there_and_adds_what_is_missing(state: StateDir) -> None:
    init(BRAIN, state, INIT)
    file = SopsFile.of("vps-brain")
    before = dict(file.values)
    again = init(BRAIN, state, INIT)
    assert (again.key_made, again.rules_made, again.made, again.kept) == (False, False, (), NAMES)
    file.path.write_text("")
    file.path.unlink()
    file.create({"redis-reader": before["redis-reader"]})
    added = init(BRAIN, state, INIT)
    assert added.made == tuple(name for name in NAMES if name != "redis-reader")
    assert SopsFile.of("vps-brain").values["redis-reader"] == before["redis-reader"]


def test_init_moves_what_lay_in_clear_so_that_no_host_changes(state: StateDir) -> None:
    clear = {name: Secrets.open(state).get(name) for name in NAMES}
    authority = Values.open(BRAIN, {}, state).authority.certificate
    report = init(BRAIN, state, INIT)
    assert (report.made, report.moved) == ((), NAMES)
    values = Values.open(BRAIN, {}, state)
    assert {name: values.secret(name) for name in NAMES} == clear
    assert [path.name for path in state.secrets.iterdir()] == ["ca"]
    assert values.authority.certificate == authority


def test_a_killed_init_is_finished_by_the_next(state: StateDir) -> None:
    """It was killed after the file was written and before what lay in clear was removed."""
    clear = {name: Secrets.open(state).get(name) for name in NAMES}
    init(BRAIN, state, INIT)
    for name, value in clear.items():
        (state.secrets / name).write_text(value)
    assert init(BRAIN, state, INIT).moved == ()
    assert [path.name for path in state.secrets.iterdir()] == []
    assert SopsFile.of("vps-brain").values == clear


def test_what_only_the_operator_knows_is_named_until_it_is_given(
    state: StateDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert init(HOOKED, state, INIT).missing == ("webhook",)
    assert look(HOOKED, state).missing == ("webhook",)
    with pytest.raises(StackFileError, match="no value for webhook") as told:
        check_secrets(HOOKED, state)
    assert told.value.hint == "himari secrets edit vps-brain"
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\necho "webhook: https://example.org/hook" >> "$1"\n')
    editor.chmod(0o755)
    monkeypatch.setenv("EDITOR", str(editor))
    assert edit(HOOKED, state, INIT).says == ()
    check_secrets(HOOKED, state)
    assert Values.open(HOOKED, {}, state).secret("webhook") == "https://example.org/hook"


def test_a_webhook_of_the_stack_file_is_none_of_the_vaults(state: StateDir) -> None:
    stated = msgspec.structs.replace(BRAIN, alerts=Alerts(webhook="https://example.org/hook"))
    assert vault_names(stated) == NAMES
    assert Values.open(stated, {}, state).secret("webhook") == "https://example.org/hook"


def test_what_was_edited_into_no_list_of_values_is_told(
    state: StateDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    init(BRAIN, state, INIT)
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nprintf "nested:\\n  value: s3cret\\n" >> "$1"\n')
    editor.chmod(0o755)
    monkeypatch.setenv("EDITOR", str(editor))
    with pytest.raises(StackFileError, match="Expected") as told:
        edit(BRAIN, state, INIT)
    assert "s3cret" not in str(told.value)
    assert told.value.hint == "himari secrets edit vps-brain"


def test_plan_names_what_is_missing_and_what_nothing_uses(state: StateDir) -> None:
    init(BRAIN, state, INIT)
    assert plan(BRAIN).secrets.says == ()
    file = SopsFile.of("vps-brain")
    kept = {name: value for name, value in file.values.items() if name != "redis-pusher"}
    file.path.unlink()
    file.create({**kept, "kafka-writer": "c3" * 32})
    seen = plan(BRAIN).secrets
    assert (seen.missing, seen.unused) == (("redis-pusher",), ("kafka-writer",))
    assert seen.says == (
        "The secret redis-pusher is missing: himari secrets init vps-brain",
        "Nothing uses the secret kafka-writer any more: himari secrets edit vps-brain",
    )


def test_plan_of_a_stack_in_clear_says_how_to_move_and_a_labs_says_nothing(state: StateDir) -> None:
    (said,) = plan(BRAIN).secrets.says
    assert f"in clear in {state.secrets}; himari secrets init vps-brain moves them" in said
    assert plan(LAB).secrets.says == ()
    check_secrets(BRAIN, state)
    assert not state.path.exists()


def test_a_key_that_does_not_open_the_file_is_told_before_a_run(state: StateDir, tmp_path: Path) -> None:
    init(BRAIN, state, INIT)
    (tmp_path / "config" / "sops" / "age" / "keys.txt").unlink()
    assert plan(BRAIN).secrets.missing == ()  # which needs no key
    with pytest.raises(StackFileError, match="sops decrypt"):
        check_secrets(BRAIN, state)


def test_rotate_gives_another_value_and_says_who_uses_it(state: StateDir) -> None:
    init(BRAIN, state, INIT)
    before = dict(SopsFile.of("vps-brain").values)
    report = rotate(BRAIN, state, "redis-reader", INIT)
    after = SopsFile.of("vps-brain").values
    assert {name for name in after if after[name] != before[name]} == {"redis-reader"}
    assert len(bytes.fromhex(after["redis-reader"])) == 32
    assert report.units == ("edge: redis-server.service", "brain: himari-consumer.service")
    assert after["redis-reader"] not in json.dumps(msgspec.to_builtins(report))


def test_a_labs_secret_is_rotated_in_its_own_vault(tmp_path: Path) -> None:
    state = StateDir.of("lab-edge")
    before = {name: Values.open(LAB, {}, state).secret(name) for name in (*NAMES, "exchange-key")}
    for name in ("redis-pusher", "exchange-key"):
        rotate(LAB, state, name, INIT)
    after = {name: Values.open(LAB, {}, state).secret(name) for name in before}
    assert {name for name in after if after[name] != before[name]} == {"redis-pusher", "exchange-key"}
    assert (state.secrets / "redis-pusher").stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "kept").exists()


def test_a_name_that_there_is_not_and_one_that_is_given_are_refused(state: StateDir) -> None:
    with pytest.raises(StackFileError, match="no secret 'redis-writer'") as told:
        rotate(BRAIN, state, "redis-writer", INIT)
    assert told.value.expected == f"one of {', '.join(NAMES)}"
    with pytest.raises(StackFileError, match="only you know webhook") as told:
        rotate(HOOKED, state, "webhook", INIT)
    assert told.value.hint == "himari secrets edit vps-brain"


@pytest.mark.parametrize("verb", [init, edit])
def test_a_lab_keeps_no_file(verb: object, tmp_path: Path) -> None:
    with pytest.raises(StackFileError, match="makes its own secrets"):
        verb(LAB, StateDir.of("lab-edge"), INIT)  # type: ignore[operator]
    assert not (tmp_path / "kept").exists()


def test_edit_needs_a_file(state: StateDir) -> None:
    with pytest.raises(StackFileError, match="no such file") as told:
        edit(BRAIN, state, INIT)
    assert told.value.hint == "himari secrets init vps-brain"


def test_a_stack_that_is_held_is_left_alone(state: StateDir) -> None:
    from himari.runs.lock import hold

    with hold(state.lock, ("himari", "up", "vps-brain")), pytest.raises(LockedError):
        rotate(BRAIN, state, "redis-reader", INIT)
