"""What this machine must be for a stack."""

from pathlib import Path

import pytest

from himari.apply import trees
from himari.catalog.component import Component, Tree
from himari.runs.doctor import check_fetching, check_machine, examine
from himari.stack.errors import MachineError
from himari.stack.load import load_stack


@pytest.mark.parametrize("name", ["HIMARI_STATE", "HIMARI_CACHE"])
@pytest.mark.parametrize("folder", ["/opt/himari/ours", "/var/cache/himari"])
def test_what_destroy_would_take_along_is_refused_before_anything_is_done(
    monkeypatch: pytest.MonkeyPatch, name: str, folder: str
) -> None:
    monkeypatch.setenv(name, folder)
    with pytest.raises(MachineError, match="belongs to the brain") as caught:
        check_machine(load_stack("vps-brain"))
    assert caught.value.where == folder
    assert name in caught.value.hint


def test_those_folders_are_free_where_no_host_is_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIMARI_CACHE", "/var/cache/himari")
    check_machine(load_stack("lab-edge"))


def test_maven_is_asked_for_where_a_tree_must_be_fetched_and_only_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HIMARI_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "x.maven").touch()
    tree = Tree(name="x", lock=str(tmp_path / "x.maven"), link="/opt/himari/x")
    check_fetching([Component(name="plain")])
    with pytest.raises(MachineError, match=r"mvn fetches .*x\.maven") as caught:
        check_fetching([Component(name="x", trees=(tree,))])
    assert caught.value.hint == "apt-get install maven"
    trees.making(tree).folder.mkdir(parents=True)
    check_fetching([Component(name="x", trees=(tree,))])


def test_doctor_tells_that_maven_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (told,) = (finding for finding in examine(lab=False) if finding.name == "mvn")
    assert (told.ok, told.mend) == (False, "apt-get install maven")


def test_what_encrypts_is_needed_by_stacks_that_keep_their_secrets_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HIMARI_SECRETS", str(tmp_path))
    monkeypatch.setattr("himari.runs.doctor.BINARIES", {})
    monkeypatch.setenv("PATH", str(tmp_path))
    before = {one.name: one for one in examine(lab=False)}
    assert before["sops"].ok
    assert "`himari secrets init` needs it" in before["sops"].says
    (tmp_path / "tokyo.sops.yaml").touch()
    after = {one.name: one for one in examine(lab=False)}
    assert (after["sops"].ok, after["age-keygen"].ok) == (False, False)
    assert "go install github.com/getsops/sops" in after["sops"].mend
    check_machine(load_stack("vps-brain"))
    (tmp_path / "vps-brain.sops.yaml").touch()
    with pytest.raises(MachineError, match="sops") as caught:
        check_machine(load_stack("vps-brain"))
    assert "3.11 or later" in caught.value.hint
