"""Hosts that were never met, cannot be reached, or have no power; what only hosts show is in tests/lab."""

import json
from pathlib import Path

import msgspec
import pytest

from himari.lab.identity import Lab, Record
from himari.stack.paths import StateDir
from tests.unit.cli.refusals import Himari, known, refused


@pytest.mark.parametrize("argv", [("shell", "edge"), ("exec", "edge", "--", "true")], ids=["shell", "exec"])
def test_a_lab_that_is_off_says_how_it_comes_up(himari: Himari, argv: tuple[str, ...]) -> None:
    refused(himari("lab", *argv), 4, "edge", "no lab of this checkout is up", "hint: himari up lab-edge")
    refused(himari("lab", *argv[:2], "--stack", "lab-edge", *argv[2:]), 4, "lab-edge", "hint: himari up lab-edge")


def test_a_host_that_cannot_be_reached_is_named(himari: Himari, tmp_path: Path) -> None:
    known(tmp_path / "state", address="127.0.0.1", ssh_port=1)
    refused(himari("drift", "lab-edge"), 4, "exchange", "127.0.0.1:1 cannot be reached", "is it up")
    looked = himari("status", "lab-edge")
    assert looked.returncode == 7
    assert "edge: 127.0.0.1:1 cannot be reached" in looked.stdout
    assert looked.stdout.splitlines()[-1] == "lab-edge is unwell, exit code 7"


@pytest.mark.parametrize("verb", ["drift", "status", "validate"])
def test_a_stack_that_was_never_up_says_so(himari: Himari, verb: str) -> None:
    refused(himari(verb, "lab-edge"), 4, "exchange", "nothing is known of this host yet", "himari up lab-edge")


def test_a_host_that_was_never_met_is_part_of_the_status_of_the_others(himari: Himari, tmp_path: Path) -> None:
    known(tmp_path / "state", address="127.0.0.1", ssh_port=1)
    notes = tmp_path / "state" / "lab-edge" / "hosts.json"
    met = json.loads(notes.read_text())
    notes.write_text(json.dumps({"edge": met["edge"]}))
    looked = himari("status", "lab-edge")
    assert looked.returncode == 7
    assert "brain: nothing is known of this host yet (himari up lab-edge makes first contact)" in looked.stdout


def off(folder: Path) -> dict[str, str]:
    """What an `up` would have noted of a lab whose host edge has no power since; the variables that lead there."""
    known(folder / "state", address="127.0.0.1", ssh_port=1)
    state = StateDir(folder / "state" / "lab-edge")
    made = folder / "labs" / Lab.of("lab-edge", state).id
    made.mkdir(parents=True)
    record = Record(stack="lab-edge", state=str(state.path), subnet="10.200.0.0/24", hosts={"edge": 11})
    (made / "lab.json").write_bytes(msgspec.json.encode(record))
    return {"HIMARI_LABS": str(folder / "labs")}


@pytest.mark.parametrize(
    "argv",
    [("validate", "lab-edge"), ("drift", "lab-edge"), ("lab", "shell", "edge"), ("lab", "exec", "edge", "--", "true")],
    ids=" ".join,
)
def test_a_host_without_power_is_told_with_what_powers_it(
    himari: Himari, tmp_path: Path, argv: tuple[str, ...]
) -> None:
    refused(himari(*argv, **off(tmp_path)), 4, "edge", "the host is off", "hint: himari lab power-on edge")


def test_the_status_of_a_host_without_power_is_not_asked_of_it(himari: Himari, tmp_path: Path) -> None:
    looked = himari("status", "lab-edge", **off(tmp_path))
    assert looked.returncode == 7
    assert "edge: the host is off (himari lab power-on edge)" in looked.stdout
    assert "edge: 127.0.0.1:1 cannot be reached" not in looked.stdout
    assert "brain: 127.0.0.1:1 cannot be reached" in looked.stdout
