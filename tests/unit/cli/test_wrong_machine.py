"""A machine on which a lab cannot be made, and state that may not be written or read."""

import json
import os
import shlex
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from himari.stack.paths import PROJECT
from tests.unit.cli.refusals import Himari, as_nobody, refused


def test_a_stack_file_of_another_user_is_named(open_folder: Path, stack_file: Path) -> None:
    path = open_folder / "vps-brain.toml"
    path.write_text(stack_file.read_text())
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


def on_disk_of(size: str, folder: Path, before: str, *argv: str) -> subprocess.CompletedProcess[str]:
    """The command with its state on a disk of that size, mounted on `folder`, behind the shell text `before`."""
    folder.mkdir()
    mount = f"mount -t tmpfs -o size={size} none {folder} && {before}"
    return subprocess.run(
        ("unshare", "--mount", "sh", "-c", f"{mount}; exec {sys.executable} -m himari.cli.main {shlex.join(argv)}"),
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "HIMARI_STATE": str(folder)},
    )


def test_a_full_disk_is_named_before_anything_is_made(tmp_path: Path) -> None:
    done = on_disk_of("8m", tmp_path / "small", "true", "up", "lab-edge")
    refused(done, 5, "MB free", "disk", "HIMARI_STATE to a folder on a larger disk")


def test_a_disk_that_fills_up_during_a_run_is_no_fault_of_ours(tmp_path: Path) -> None:
    fill = f"head -c 80000 /dev/zero >{tmp_path}/full/filler"
    done = on_disk_of("64k", tmp_path / "full", fill, "destroy", "lab-edge", "--yes", "--json")
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


@pytest.mark.parametrize("argv", [("shell", "edge"), ("exec", "edge", "--", "id")], ids=["shell", "exec"])
def test_a_lab_s_host_is_entered_by_root_alone(open_folder: Path, argv: tuple[str, ...]) -> None:
    refused(as_nobody(open_folder, "lab", *argv), 5, "uid 65534", "expected: uid 0")
