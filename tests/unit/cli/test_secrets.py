"""`himari secrets` as it is typed."""

import json
from pathlib import Path

import pytest

from tests.unit.cli.refusals import Himari, refused
from tests.unit.sealed import keep


@pytest.fixture(autouse=True)
def _own_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(monkeypatch, tmp_path)


@pytest.mark.parametrize("verb", ["init", "edit", "rotate"])
def test_each_verb_explains_itself_with_an_example(himari: Himari, verb: str) -> None:
    told = himari("secrets", verb, "--help").stdout
    assert f"Example: himari secrets {verb} tokyo" in told


def test_init_tells_what_it_made_and_no_value(himari: Himari, tmp_path: Path) -> None:
    done = himari("secrets", "init", "vps-brain")
    assert done.returncode == 0, done.stderr
    key = tmp_path / "config" / "sops" / "age" / "keys.txt"
    assert f"A new age key: {key}. Keep a copy elsewhere" in done.stdout
    assert "made: redis-exporter, redis-operator, redis-pusher, redis-reader" in done.stdout
    assert "AGE-SECRET-KEY" not in done.stdout + done.stderr
    again = json.loads(himari("secrets", "init", "vps-brain", "--json").stdout)
    assert (again["made"], again["key_made"]) == ([], False)


def test_rotate_says_what_deploys_it_and_what_restarts(himari: Himari) -> None:
    told = himari("secrets", "rotate", "lab-edge", "redis-reader").stdout
    assert "Next: himari up lab-edge deploys it, after which the old one is refused, and restarts only:" in told
    assert "brain: himari-consumer.service" in told
    refused(himari("secrets", "rotate", "lab-edge", "redis-raeder"), 2, "lab-edge", "did you mean redis-reader?")


def test_a_lab_is_refused_a_file(himari: Himari) -> None:
    refused(himari("secrets", "init", "lab-edge"), 2, "lab-edge", "a lab makes its own secrets")


def test_plan_says_where_the_secrets_are(himari: Himari) -> None:
    assert "himari secrets init vps-brain moves them" in himari("plan", "vps-brain").stdout
    himari("secrets", "init", "vps-brain")
    assert "secrets init" not in himari("plan", "vps-brain").stdout
    told = json.loads(himari("plan", "vps-brain", "--json").stdout)
    assert (told["secrets"]["sealed"], told["secrets"]["missing"]) == (True, [])


def test_up_refuses_to_begin_while_a_secret_is_missing(himari: Himari, tmp_path: Path) -> None:
    himari("secrets", "init", "vps-brain")
    file = tmp_path / "kept" / "vps-brain.sops.yaml"
    file.write_text(file.read_text().replace("redis-reader:", "redis-other:"))
    told = himari("plan", "vps-brain").stdout
    assert "The secret redis-reader is missing: himari secrets init vps-brain" in told
    assert "Nothing uses the secret redis-other any more" in told
    again = "himari secrets init vps-brain"
    refused(himari("up", "vps-brain"), 2, str(file), "no value for redis-reader", again, "resume: himari up vps-brain")


def test_a_missing_program_is_named_with_what_helps(himari: Himari, tmp_path: Path) -> None:
    bare = tmp_path / "bin"
    bare.mkdir()
    (bare / "git").symlink_to("/usr/bin/git")
    done = himari("secrets", "init", "vps-brain", PATH=str(bare))
    refused(done, 5, "PATH", "age-keygen is missing", "apt-get install age")
