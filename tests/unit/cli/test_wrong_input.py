"""Everything an operator can get wrong on this machine: an exit code, where it is, what was expected, what to do.

What only hosts show (a host that is off, another host key, a half destroyed stack) is in tests/lab."""

import json
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from himari.lab.identity import Lab, Record
from himari.stack.paths import INVENTORIES, PROJECT, StateDir

Himari = Callable[..., subprocess.CompletedProcess[str]]

VPS_BRAIN = (INVENTORIES / "vps-brain.toml").read_text()
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


@pytest.fixture
def stack_file(tmp_path: Path) -> Path:
    path = tmp_path / "vps-brain.toml"
    path.write_text(VPS_BRAIN)
    return path


def replaced(old: str, new: str) -> str:
    assert VPS_BRAIN.count(old) == 1
    return VPS_BRAIN.replace(old, new)


def refused(done: subprocess.CompletedProcess[str], exit_code: int, where: str, *said: str) -> None:
    """The failure is told in our terms: the exit code, the place, and each of `said`."""
    assert done.returncode == exit_code, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert [line for line in done.stderr.splitlines() if line.startswith("  where: ") and where in line], done.stderr
    for words in said:
        assert words in done.stderr


WRONG = {
    "unknown key": (
        replaced('name = "vps-brain"', 'nmae = "vps-brain"'),
        "stack.nmae",
        ("unknown key 'nmae'", "expected: one of name, budget_usd", "hint: did you mean name?"),
    ),
    "unknown table": (replaced("[alerts]", "[alertz]"), "alertz", ("hint: did you mean alerts?",)),
    "wrong type": (
        replaced("frames_per_s = 400 ", 'frames_per_s = "fast" '),
        "venues.binance.frames_per_s",
        ("'fast' is not possible", "expected: a number, got text"),
    ),
    "no table": ("[stack]\nname = 'x'\n[hosts]\nedge = 3\n", "hosts.edge", ("3 is no table", "expected: [hosts.edge]")),
    "wrong name": (VPS_BRAIN + "[hosts.Edge_1]\n", "hosts.Edge_1", ("no possible name", "a lower-case letter")),
    "missing key": (replaced("frames_per_s = 400 ", "# "), "venues.binance.frames_per_s", ("the key is missing",)),
    "duplicate host": (replaced("\n[hosts.brain]", "\n[hosts.edge]"), ".toml:", ("[hosts.edge] is there twice",)),
    "one machine twice": (
        replaced('address = "203.0.113.10" ', 'address = "local" '),
        "hosts.edge.address",
        ("local is given to more than one host",),
    ),
    "unknown role": (
        replaced('roles = ["brain"]', 'roles = ["brian"]'),
        "hosts.brain.roles",
        ("unknown role 'brian'", "exchange or edge or brain", "hint: did you mean brain?"),
    ),
    "overlapping networks": (
        replaced("[network]", '[network]\nwireguard = "198.51.0.0/16"'),
        "network.wireguard",
        ("198.51.0.0/16 overlaps 198.51.100.0/24 (access.ssh_from[0])", "networks that share no address"),
    ),
    "malformed": (replaced("[access]", "[access"), ".toml:", ("not TOML", "at line")),
    "empty": ("", "vps-brain.toml", ("says nothing", "[stack], [venues.NAME] and [hosts.NAME]")),
}


@pytest.mark.parametrize(("text", "where", "said"), WRONG.values(), ids=WRONG)
def test_a_wrong_stack_file_names_file_and_key(
    himari: Himari, stack_file: Path, text: str, where: str, said: tuple[str, ...]
) -> None:
    stack_file.write_text(text)
    done = himari("plan", str(stack_file))
    refused(done, 2, where, str(stack_file), *said)


UNFIT = {
    "disk": (replaced("disk_gb = 80\n", "disk_gb = 8\n"), "hosts.edge.disk_gb", "journal_hours"),
    "memory": (replaced("memory_mb = 4096   ", "memory_mb = 512   "), "hosts.edge.memory_mb", "minutes of streams"),
    "link": (
        replaced("bytes_per_s = 300_000 ", "bytes_per_s = 30_000_000 "),
        "network.link_bytes_per_s",
        "fewer symbols",
    ),
    "window": (
        replaced("[retention]", "[retention]\nstream_minutes = 1"),
        "retention.stream_minutes",
        "raise stream_minutes",
    ),
}


@pytest.mark.parametrize(("text", "key", "hint"), UNFIT.values(), ids=UNFIT)
def test_sizes_that_do_not_fit_name_file_and_key(
    himari: Himari, stack_file: Path, text: str, key: str, hint: str
) -> None:
    stack_file.write_text(text)
    for verb in ("plan", "up"):
        refused(himari(verb, str(stack_file)), 3, f"{stack_file}: {key}", "expected: ", hint)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: path.write_bytes(b"\xff\xfe\x00\x01" * 100), "not UTF-8"),
        (lambda path: (path.unlink(), path.mkdir()), "Is a directory"),
        (lambda path: path.unlink(), "No such file"),
    ],
    ids=["binary", "folder", "missing"],
)
def test_a_stack_file_that_cannot_be_read_is_named(
    himari: Himari, stack_file: Path, make: Callable[[Path], object], said: str
) -> None:
    make(stack_file)
    refused(himari("plan", str(stack_file)), 2, str(stack_file), said, "expected: a stack file", "hint: ")


def as_nobody(state: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    """The command as a user who owns nothing."""
    environment = {**os.environ, "HIMARI_STATE": str(state), "HIMARI_CACHE": str(state / "cache")}
    return subprocess.run(
        (*NOBODY, sys.executable, "-m", "himari.cli.main", *argv),
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=PROJECT,
        env=environment,
    )


@pytest.fixture
def open_folder(tmp_path: Path) -> Path:
    """A folder that anybody may reach and write, as pytest's own are for its user only."""
    for parent in (tmp_path, *tmp_path.parents):
        if parent == Path(tempfile.gettempdir()):
            break
        parent.chmod(0o755)
    folder = tmp_path / "state"
    folder.mkdir()
    folder.chmod(0o777)
    return folder


def test_a_stack_file_of_another_user_is_named(open_folder: Path) -> None:
    path = open_folder / "vps-brain.toml"
    path.write_text(VPS_BRAIN)
    path.chmod(stat.S_IRUSR)
    refused(as_nobody(open_folder, "plan", str(path)), 2, str(path), "Permission denied")


def test_a_lab_without_root_is_refused_and_leaves_its_journal_only(open_folder: Path) -> None:
    done = as_nobody(open_folder, "up", "lab-edge")
    refused(done, 5, "uid 65534", "expected: uid 0", "sudo", "resume: himari up lab-edge")
    assert {path.name for path in (open_folder / "lab-edge").iterdir()} == {"lock", "runs"}


def test_doctor_tells_a_mere_user_to_be_root_and_nothing_that_follows_from_it(open_folder: Path) -> None:
    done = as_nobody(open_folder, "doctor")
    assert done.returncode == 5
    assert "a lab: run the command again with sudo" in done.stdout
    for said in ("--cap-add", "nftables does not work"):
        assert said not in done.stdout


@pytest.mark.parametrize("verb", ["up", "validate", "drift", "destroy"])
def test_a_state_folder_that_may_not_be_written_is_named(open_folder: Path, verb: str) -> None:
    folder = open_folder / "theirs"
    folder.mkdir(mode=0o700)
    done = as_nobody(folder, verb, "lab-edge", *(["--yes"] if verb == "destroy" else []))
    refused(done, 5, str(folder), "Permission denied", "HIMARI_STATE")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("verb", ["status", "drift", "validate"])
def test_a_state_that_root_wrote_is_not_taken_for_a_host_that_refuses_the_key(open_folder: Path, verb: str) -> None:
    state = open_folder / "vps-brain"
    (state / "ssh").mkdir(parents=True)
    state.chmod(0o777)
    (state / "hosts.json").write_text(
        '{"edge": {"address": "127.0.0.1", "ssh_port": 9}, "brain": {"address": "local"}}'
    )
    config = state / "ssh" / "config"
    config.touch(0o600)
    refused(as_nobody(open_folder, verb, "vps-brain"), 5, str(config), "Permission denied", "as the user who made it")


def test_a_state_folder_that_is_a_file_is_named(himari: Himari, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    for verb in ("plan", "up"):
        refused(himari(verb, "lab-edge", HIMARI_STATE=str(path)), 5, str(path), "Not a directory")


def test_a_missing_capability_is_named(tmp_path: Path) -> None:
    argv = ("setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin", sys.executable, "-m", "himari.cli.main")
    done = subprocess.run(
        (*argv, "up", "lab-edge"),
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "HIMARI_STATE": str(tmp_path)},
    )
    refused(done, 5, "CapEff", "CAP_NET_ADMIN is missing", "--cap-add=NET_ADMIN")


def test_a_kernel_without_nftables_is_named(himari: Himari, tmp_path: Path) -> None:
    # The kernel answers so for a module that it lacks; nft itself says it, from a stand-in first on PATH.
    nft = tmp_path / "nft"
    nft.write_text("#!/bin/sh\necho 'Operation not supported' >&2\nexit 1\n")
    nft.chmod(0o755)
    done = himari("up", "lab-edge", PATH=f"{tmp_path}:{os.environ['PATH']}")
    refused(done, 5, "nft list tables", "Operation not supported", "modprobe nf_tables")


def test_a_full_disk_is_named_before_anything_is_made(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    script = f"mount -t tmpfs -o size=8m none {small} && exec {sys.executable} -m himari.cli.main up lab-edge"
    done = subprocess.run(
        ("unshare", "--mount", "sh", "-c", script),
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "HIMARI_STATE": str(small)},
    )
    refused(done, 5, "MB free", "disk", "HIMARI_STATE to a folder on a larger disk")


def test_a_disk_that_fills_up_during_a_run_is_no_fault_of_ours(tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.mkdir()
    fill = f"mount -t tmpfs -o size=64k none {full} && head -c 80000 /dev/zero >{full}/filler"
    script = f"{fill}; exec {sys.executable} -m himari.cli.main destroy lab-edge --yes --json"
    done = subprocess.run(
        ("unshare", "--mount", "sh", "-c", script),
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "HIMARI_STATE": str(full)},
    )
    assert done.returncode == 5
    assert "No space left on device" in json.loads(done.stdout)["error"]
    assert "Traceback" not in done.stderr


def test_setup_refuses_a_python_that_is_too_old(tmp_path: Path) -> None:
    old = tmp_path / "python3.9"
    old.write_text(
        f'#!/bin/sh\nexec {sys.executable} -c \'import sys; sys.version = "3.9.2 (main)";'
        ' sys.version_info = (3, 9, 2); exec(sys.argv[1])\' "$2"\n'
    )
    old.chmod(0o755)
    venv = tmp_path / "venv"
    venv.mkdir()
    (venv / ".debs").touch()
    argv = ("make", "-C", str(PROJECT), "setup", f"PYTHON={old}", f"VENV={venv}")
    done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert f"Python 3.11 or later is needed, {old} is 3.9.2; set PYTHON=/path/to/python3" in done.stderr
    assert {path.name for path in venv.iterdir()} == {".debs"}


@pytest.mark.parametrize(
    ("argv", "where", "said"),
    [
        (("--live", "--recording", "x"), "", "contradict"),
        (("--speed", "5"), "--speed 5", "expected: --recording PATH beside it"),
        (("--recording", "/"), "/", "Is a directory"),
    ],
    ids=["both", "speed alone", "folder"],
)
def test_options_that_contradict_are_refused(himari: Himari, argv: tuple[str, ...], where: str, said: str) -> None:
    done = himari("up", "lab-edge", *argv)
    assert done.returncode == 2
    assert said in done.stderr
    assert where in done.stderr


def test_a_failure_is_one_json_object_when_json_is_asked_for(himari: Himari, stack_file: Path) -> None:
    stack_file.write_text(UNFIT["disk"][0])
    done = himari("up", str(stack_file), "--json")
    told = json.loads(done.stdout)
    assert told["exit_code"] == done.returncode == 3
    assert told["where"] == f"{stack_file}: hosts.edge.disk_gb"
    assert told["step"] == "preflight"
    assert told["resume"] == f"himari up {stack_file} --json"
    assert told["error"] in done.stderr


@pytest.mark.parametrize("argv", [("shell", "edge"), ("exec", "edge", "--", "true")], ids=["shell", "exec"])
def test_a_lab_that_is_off_says_how_it_comes_up(himari: Himari, argv: tuple[str, ...]) -> None:
    refused(himari("lab", *argv), 4, "edge", "no lab of this checkout is up", "hint: himari up lab-edge")
    refused(himari("lab", *argv[:2], "--stack", "lab-edge", *argv[2:]), 4, "lab-edge", "hint: himari up lab-edge")


def known(state: Path, **host: object) -> None:
    """What an `up` would have noted of lab-edge's hosts."""
    folder = state / "lab-edge"
    folder.mkdir(parents=True)
    notes = {name: {"ssh_host_key": "ssh-ed25519 AAAA", **host} for name in ("exchange", "edge", "brain")}
    (folder / "hosts.json").write_text(json.dumps(notes))


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


@pytest.mark.parametrize("argv", [("shell", "edge"), ("exec", "edge", "--", "id")], ids=["shell", "exec"])
def test_a_lab_s_host_is_entered_by_root_alone(open_folder: Path, argv: tuple[str, ...]) -> None:
    refused(as_nobody(open_folder, "lab", *argv), 5, "uid 65534", "expected: uid 0")


def test_a_file_that_nobody_edited_is_refused_before_a_host_is_touched(
    himari: Himari, stack_file: Path, tmp_path: Path
) -> None:
    stack_file.write_text(replaced('address = "local"', 'address = "203.0.113.11"'))
    done = himari("up", str(stack_file), HOME=str(tmp_path))
    said = ("4 things", "203.0.113.10 is a placeholder", "203.0.113.11 is a", "no public key", "ssh-keygen")
    refused(done, 2, "hosts.edge.address", *said, "step: preflight")
    assert done.stderr.count("203.0.113.10 is a placeholder") == 1
    assert "replay:" not in done.stderr
    assert {path.name for path in (tmp_path / "state" / "vps-brain").iterdir()} == {"lock", "runs"}
