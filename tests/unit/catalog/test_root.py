"""The one way to root on a host: what is sent is run whole, with its own standard input, and nothing besides."""

import subprocess
import sys
from pathlib import Path

import pytest

from himari.catalog.root import ENTRY, as_root, entry_program, sudo_rule

SUDO = """#!/bin/sh
printf "%s\\n" "$*" >>"$(dirname "$0")/log"
exec {python} "$(dirname "$0")/entry"
"""


@pytest.fixture
def sudo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What `sudo` was asked to run, on this machine and without its rights."""
    (tmp_path / "entry").write_text(entry_program())
    (tmp_path / "sudo").write_text(SUDO.format(python=sys.executable))
    (tmp_path / "sudo").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return tmp_path / "log"


def run(command: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["sh", "-c", as_root(command)], input=stdin, capture_output=True, check=False, timeout=20)


def test_a_command_gets_its_standard_input_whole(sudo: Path) -> None:
    sent = bytes(range(256)) * 5000
    assert run("cat", sent).stdout == sent


def test_a_command_is_run_as_it_is_written(sudo: Path) -> None:
    command = """for word in 'a "b"' '%s' "ü"; do printf '<%s>\\n' "$word"; done; exit 7"""
    done = run(command)
    assert (done.returncode, done.stdout.decode()) == (7, '<a "b">\n<%s>\n<ü>\n')


def test_sudos_log_shows_what_is_run_and_no_more_of_it(sudo: Path) -> None:
    run("/opt/himari/runtime/bin/himari-runtime digest --settings /etc/secret")
    assert sudo.read_text() == f"-n {ENTRY} himari-runtime digest\n"


def test_a_program_that_did_not_arrive_whole_is_not_run(tmp_path: Path) -> None:
    sent = b"100\nopen('made', 'w')\n"
    done = subprocess.run(
        [sys.executable, "-c", entry_program()], input=sent, cwd=tmp_path, capture_output=True, check=False
    )
    assert (done.returncode, list(tmp_path.iterdir())) == (1, [])
    assert b"ended before the program did" in done.stderr


def test_the_rule_names_one_program_and_nobody_but_root() -> None:
    assert sudo_rule("himari") == "himari ALL=(root) NOPASSWD: /usr/local/sbin/himari-agent\n"
