"""The command as its user meets it: exit codes, words, and streams."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest

from himari.lab.identity import Lab
from himari.runs.lock import hold
from himari.stack import errors
from himari.stack.paths import StateDir

Himari = Callable[..., subprocess.CompletedProcess[str]]

STACK = """
[stack]
name = "tokyo"
[access]
ssh_from = ["198.51.100.7/32"]
[venues.binance]
symbols = ["BTC/USDT"]
frames_per_s = 100
bytes_per_s = 30000
[hosts.edge]
provider = "static"
address = "203.0.113.10"
roles = ["edge"]
cpus = 2
memory_mb = 4096
disk_gb = 80
[hosts.brain]
provider = "static"
address = "local"
existing = true
roles = ["brain"]
cpus = 8
memory_mb = 16384
disk_gb = 2000
"""
VERBS = (
    "plan",
    "up",
    "validate",
    "status",
    "drift",
    "drill",
    "open",
    "destroy",
    "schema",
    "doctor",
    "secrets init",
    "secrets edit",
    "secrets rotate",
    "lab ls",
    "lab prune",
    "lab shell",
    "lab exec",
    "lab cut",
    "lab loss",
    "lab delay",
    "lab rate",
    "lab hang",
    "lab power-off",
    "lab power-on",
    "lab fill-disk",
    "lab limit-memory",
    "lab heal",
)


@pytest.fixture
def stack_file(tmp_path: Path) -> Path:
    path = tmp_path / "tokyo.toml"
    path.write_text(STACK)
    return path


def test_help_names_each_verb_and_each_exit_code(himari: Himari) -> None:
    shown = himari("--help").stdout
    for verb in VERBS:
        assert f"  {verb.split()[0]} " in shown
    codes = {
        error.exit_code for error in vars(errors).values() if isinstance(error, type) and hasattr(error, "exit_code")
    }
    for code in codes | {0, errors.LEFT, errors.FAULT, errors.INTERRUPTED}:
        assert f"\n    {code:<4}" in shown


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb_has_an_example(himari: Himari, verb: str) -> None:
    shown = himari(*verb.split(), "--help")
    assert shown.returncode == 0
    assert f"Example: himari {verb}" in shown.stdout


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys, himari.cli.main; print(*{'msgspec', 'rich', 'pyinfra', 'jinja2', 'gevent'} & set(sys.modules))"
    )
    loaded = subprocess.run((sys.executable, "-c", script), capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []


def test_version_is_the_package_s(himari: Himari) -> None:
    assert himari("--version").stdout == f"himari {version('himari')}\n"


@pytest.mark.parametrize(
    ("edit", "where", "said"),
    [
        (('name = "tokyo"', 'name = "tokyo"\nbudget = 3'), "stack.budget", "unknown key 'budget'"),
        (("frames_per_s = 100", 'frames_per_s = "fast"'), "venues.binance.frames_per_s", "'fast' is not possible"),
        (('roles = ["edge"]', 'roles = ["edgy"]'), "hosts.edge.roles", "unknown role 'edgy'"),
        (("[hosts.brain]", "[hosts.edge]"), "tokyo.toml:", "[hosts.edge] is there twice"),
        (("[stack]", "[stack"), "tokyo.toml:", "not TOML"),
    ],
    ids=["unknown key", "wrong type", "unknown role", "duplicate host", "not TOML"],
)
def test_a_wrong_stack_file_is_refused_with_its_key(
    himari: Himari, stack_file: Path, edit: tuple[str, str], where: str, said: str
) -> None:
    stack_file.write_text(STACK.replace(*edit, 1))
    refused = himari("plan", str(stack_file))
    assert refused.returncode == 2
    assert refused.stdout == ""
    assert said in refused.stderr.splitlines()[0]
    assert where in refused.stderr
    assert "Traceback" not in refused.stderr


def test_what_does_not_fit_is_refused(himari: Himari, stack_file: Path) -> None:
    stack_file.write_text(STACK.replace("disk_gb = 80", "disk_gb = 5"))
    refused = himari("plan", str(stack_file))
    assert refused.returncode == 3
    assert "hosts.edge.disk_gb" in refused.stderr


def test_an_unknown_stack_is_answered_with_the_nearest(himari: Himari) -> None:
    refused = himari("up", "lab-egde")
    assert refused.returncode == 2
    assert "hint: did you mean lab-edge?" in refused.stderr


@pytest.mark.parametrize("argv", [("upp",), ("up",), ("up", "lab-edge", "--colour"), ()])
def test_a_wrong_command_line_is_refused_with_help(himari: Himari, argv: tuple[str, ...]) -> None:
    refused = himari(*argv)
    assert refused.returncode == 2
    assert "himari" in refused.stderr
    assert "--help" in refused.stderr
    assert refused.stdout == ""


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file"),
        (b"plain text", "is not a gzip file"),
        (b"\x1f\x8b\x08\x00 and then nothing that decompresses", "the recording"),
    ],
    ids=["missing", "not gzip", "damaged"],
)
def test_a_recording_that_is_none_is_refused(himari: Himari, tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "recording.gz"
    if content is not None:
        path.write_bytes(content)
    refused = himari("up", "lab-edge", "--recording", str(path))
    assert refused.returncode == 2
    assert said in refused.stderr
    assert str(path) in refused.stderr


@pytest.mark.parametrize("verb", ["up", "validate", "destroy"])
def test_a_held_stack_is_refused_at_once(himari: Himari, tmp_path: Path, verb: str) -> None:
    with hold(tmp_path / "state" / "lab-edge" / "lock", ("himari", "up", "lab-edge")):
        refused = himari(verb, "lab-edge", *(["--yes"] if verb == "destroy" else []))
    assert refused.returncode == 9
    assert f"`himari up lab-edge` (pid {os.getpid()}), since 20" in refused.stderr
    assert refused.stdout == ""


def test_destroy_asks_a_person_first(tmp_path: Path) -> None:
    person, terminal = os.openpty()
    argv = (sys.executable, "-m", "himari.cli.main", "destroy", "lab-edge")
    environment = {**os.environ, "HIMARI_STATE": str(tmp_path)}
    with subprocess.Popen(argv, env=environment, stdin=terminal, stderr=subprocess.PIPE, text=True) as asked:
        os.write(person, b"n\n")
        _, told = asked.communicate(timeout=30)
    os.close(person)
    os.close(terminal)
    assert asked.returncode == 130
    assert "Destroy lab-edge?" in told
    assert list(tmp_path.iterdir()) == []


def test_plan_tells_sizes_and_days_as_json(himari: Himari, stack_file: Path) -> None:
    told = json.loads(himari("plan", str(stack_file), "--json").stdout)
    assert [host["name"] for host in told["hosts"]] == ["edge", "brain"]
    assert {held["stop"] for held in told["holdings"]} == {"journal", "stream", "parquet"}
    assert told["symbols"][0]["parquet"] < told["symbols"][0]["raw"]
    assert told["differs"] is None


def test_plan_says_that_a_cloud_host_is_not_made_yet(himari: Himari, stack_file: Path) -> None:
    cloud = 'provider = "vultr"\nplan = "vhf-2c-4gb"\nlocation = "nrt"'
    stack_file.write_text(STACK.replace('provider = "static"\naddress = "203.0.113.10"', cloud))
    shown = himari("plan", str(stack_file))
    assert shown.returncode == 0
    assert "cannot be created or priced yet" in shown.stdout
    refused = himari("up", str(stack_file))
    assert refused.returncode == 2
    assert "hosts.edge.provider" in refused.stderr


def test_a_schema_is_a_stack_file(himari: Himari, tmp_path: Path) -> None:
    path = tmp_path / "copy.toml"
    path.write_text(himari("schema").stdout)
    assert himari("plan", str(path)).returncode == 0


def test_a_fault_of_ours_leaves_a_log_and_no_traceback(tmp_path: Path) -> None:
    fault = "import sys; from himari.cli.failure import guarded; sys.exit(guarded(['plan', 'lab-edge'], lambda: 1 / 0))"
    environment = {**os.environ, "HIMARI_STATE": str(tmp_path)}
    argv = (sys.executable, "-c", fault)
    failed = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    assert failed.returncode == 70
    assert "Traceback" not in failed.stderr
    log = next(line for line in failed.stderr.splitlines() if "where:" in line).split()[-1]
    assert "ZeroDivisionError" in Path(log).read_text()


@pytest.mark.parametrize("given", ["", "y\n"], ids=["nothing", "a stray yes"])
def test_destroy_asks_nobody_but_a_person(tmp_path: Path, given: str) -> None:
    argv = (sys.executable, "-m", "himari.cli.main", "destroy", "lab-edge")
    environment = {**os.environ, "HIMARI_STATE": str(tmp_path)}
    refused = subprocess.run(argv, env=environment, input=given, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "himari destroy lab-edge --yes" in refused.stderr
    assert "edge: this host and all its data are removed" in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_destroy_gives_up_hosts_that_there_are_and_asks_with_them(himari: Himari) -> None:
    mistyped = himari("destroy", "vps-brain", "--gone", "egde", "--yes")
    assert mistyped.returncode == 2
    assert "hint: did you mean edge?" in mistyped.stderr
    asked = himari("destroy", "vps-brain", "--gone", "edge")
    assert asked.returncode == 2
    assert "edge: given up as gone" in asked.stderr
    assert "hint: himari destroy vps-brain --gone edge --yes" in asked.stderr


def test_an_orphaned_lab_is_listed_and_removed_by_name(himari: Himari, tmp_path: Path) -> None:
    places = {"HIMARI_LABS": str(tmp_path / "labs"), "HIMARI_CACHE": str(tmp_path / "cache")}
    lab = tmp_path / "labs" / "hm-00ee00"
    lab.mkdir(parents=True)
    record = {"stack": "tokyo", "state": str(tmp_path / "gone"), "subnet": "10.200.0.0/24", "hosts": {"edge": 10}}
    (lab / "lab.json").write_text(json.dumps(record))
    listed = himari("lab", "ls", **places)
    assert f"hm-00ee00 is an orphan: the state of stack tokyo is gone: {tmp_path / 'gone'}" in listed.stdout
    assert "himari lab prune" in listed.stdout
    refused = himari("lab", "prune", **places)
    assert refused.returncode == 2
    assert "hint: himari lab prune --yes" in refused.stderr
    assert lab.exists()
    removed = himari("lab", "prune", "--yes", **places)
    assert (removed.returncode, lab.exists()) == (0, False)
    assert "removed: lab hm-00ee00" in removed.stdout
    assert "there was nothing to remove" in himari("lab", "prune", **places).stdout


def test_labs_of_other_checkouts_are_marked(himari: Himari, tmp_path: Path) -> None:
    places = {"HIMARI_LABS": str(tmp_path / "labs"), "HIMARI_STATE": str(tmp_path / "mine")}
    ids = {}
    for checkout in ("mine", "theirs"):
        state = StateDir(tmp_path / checkout / "lab-edge")
        state.path.mkdir(parents=True)
        lab = ids[checkout] = Lab.of("lab-edge", state).id
        (tmp_path / "labs" / lab).mkdir(parents=True)
        record = {"stack": "lab-edge", "state": str(state.path), "subnet": "10.200.0.0/24", "hosts": {"edge": 10}}
        (tmp_path / "labs" / lab / "lab.json").write_text(json.dumps(record))
    told = himari("lab", "ls", **places).stdout
    assert f"{ids['theirs']} (lab-edge) is another checkout's: {tmp_path / 'theirs' / 'lab-edge'}" in told
    assert f"{ids['mine']} (lab-edge)" not in told
    listed = json.loads(himari("lab", "ls", "--json", **places).stdout)
    theirs = str(tmp_path / "theirs" / "lab-edge")
    assert {one["lab"]: one["elsewhere"] for one in listed} == {ids["mine"]: "", ids["theirs"]: theirs}


def test_json_is_asked_for_by_our_own_words_only(himari: Himari, tmp_path: Path) -> None:
    labs = {"HIMARI_LABS": str(tmp_path / "labs")}
    theirs = himari("lab", "exec", "nowhere", "--", "ip", "--json", "address", **labs)
    assert theirs.returncode != 0
    assert theirs.stdout == ""
    ours = himari("up", "nowhere", "--json", **labs)
    assert json.loads(ours.stdout)["exit_code"] == ours.returncode == 2


@pytest.mark.parametrize("verb", ["plan", "status", "drift", "validate", "up"])
def test_a_spoiled_note_of_the_hosts_is_named(himari: Himari, tmp_path: Path, verb: str) -> None:
    notes = tmp_path / "state" / "lab-edge" / "hosts.json"
    notes.parent.mkdir(parents=True)
    notes.write_text("[]")
    failed = himari(verb, "lab-edge")
    assert failed.returncode == 2, failed.stderr
    assert f"where: {notes}" in failed.stderr
    assert "himari up lab-edge then meets every host" in failed.stderr


def test_doctor_says_what_it_saw_as_json(himari: Himari) -> None:
    told = json.loads(himari("doctor", "--json").stdout)
    assert {"Python 3.11", "ssh", "memory"} <= {finding["name"] for finding in told["findings"]}
    assert told["ok"] == all(finding["ok"] for finding in told["findings"])


def test_doctor_names_what_is_missing_and_what_mends_it(himari: Himari, tmp_path: Path) -> None:
    looked = himari("doctor", PATH=str(tmp_path))
    assert looked.returncode == 5
    assert "apt-get install" in looked.stdout
    assert "openssh-client" in looked.stdout


@pytest.mark.parametrize(
    ("line", "found"), [("himari up lab-", "lab-edge"), ("himari dr", "drift")], ids=["stack", "verb"]
)
def test_the_shell_completes_verbs_and_stacks(himari: Himari, line: str, found: str) -> None:
    done = himari(COMP_WORDS=line, COMP_CWORD=str(len(line.split()) - 1), _HIMARI_COMPLETE="complete_bash")
    assert found in done.stdout.split()


@pytest.mark.parametrize("verb", [("drift",), ("status",), ("plan", "--hosts")], ids=" ".join)
def test_a_look_at_a_stack_that_was_never_up_leaves_nothing_behind(
    himari: Himari, tmp_path: Path, verb: tuple[str, ...]
) -> None:
    done = himari(*verb, "lab-edge")
    assert "himari up lab-edge makes first contact" in done.stderr + done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", ["plan lab-edge", "plan lab-edge --json", "schema", "--help"])
def test_a_reader_that_has_seen_enough_is_no_failure(words: str) -> None:
    piped = f"set -o pipefail; {sys.executable} -m himari.cli.main {words} | head -1"
    done = subprocess.run(["bash", "-c", piped], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 1


def test_columns_says_how_wide_tables_are_where_there_is_no_terminal(himari: Himari) -> None:
    notes = json.loads(himari("plan", "lab-edge", "--json").stdout)["notes"]
    narrow, wide = (
        himari("plan", "lab-edge", **environment).stdout.splitlines() for environment in ({"COLUMNS": "60"}, {})
    )
    assert narrow[-len(notes) - 1 : -1] == notes  # sentences stay whole: a script looks for them
    assert max(map(len, narrow[: -len(notes) - 1])) == 60
    assert max(map(len, wide[: -len(notes) - 1])) > 60


def test_whoever_answers_no_is_told_that_nothing_was_removed(tmp_path: Path) -> None:
    here, there = os.openpty()
    os.write(here, b"n\n")
    argv = (sys.executable, "-m", "himari.cli.main", "destroy", "lab-edge")
    environment = {**os.environ, "HIMARI_STATE": str(tmp_path)}
    done = subprocess.run(argv, stdin=there, capture_output=True, text=True, check=False, timeout=60, env=environment)
    os.close(here)
    os.close(there)
    assert done.returncode == 130
    assert done.stderr.endswith("himari: nothing was removed\n")
    assert list(tmp_path.iterdir()) == []


def test_a_plan_tells_minutes_and_what_never_goes(himari: Himari) -> None:
    lines = himari("plan", "lab-edge").stdout.splitlines()
    held = [line.split() for line in lines[next(n for n, line in enumerate(lines) if "held for" in line) :]]
    (stream,) = (words for words in held if words[1:2] == ["stream"])
    (parquet,) = (words for words in held if words[1:2] == ["parquet"])
    assert stream[3:5] == ["15", "min"]
    assert parquet[-2:] == ["none", "go"]


@pytest.mark.parametrize("verb", ["plan", "up", "validate", "status", "drift", "destroy", "lab", "schema", "doctor"])
def test_each_verb_s_help_has_an_example(himari: Himari, verb: str) -> None:
    assert f"Example: himari {verb}" in himari(verb, "--help").stdout
