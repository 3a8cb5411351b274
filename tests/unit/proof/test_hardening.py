"""What the hardening checks read, from what hosts printed."""

import subprocess
from pathlib import Path

import pytest

from himari.proof import agent, readings
from himari.proof.probe import Probe
from himari.proof.question import Answer, Raw
from himari.stack.errors import HostError

SUDO = """Matching Defaults entries for himari on edge:
    env_reset, use_pty

User himari may run the following commands on edge:
    (root) NOPASSWD: /usr/local/sbin/himari-agent
    (ALL : ALL) NOPASSWD: ALL
"""


def answered(**commands: Answer) -> Probe:
    return Probe("edge", Raw(commands, {}, {}, {}, {}, {}, {}, {}, {}))


def test_what_sudo_allows_is_told_line_by_line() -> None:
    assert readings.sudo_commands(SUDO) == [
        "(root) NOPASSWD: /usr/local/sbin/himari-agent",
        "(ALL : ALL) NOPASSWD: ALL",
    ]
    assert readings.sudo_commands("User nobody is not allowed to run sudo on edge.") == []


@pytest.mark.parametrize(
    ("line", "identity", "open_to_all"),
    [
        ("4755 f 0 0 /usr/bin/su", True, False),
        ("2755 f 0 42 /usr/bin/chage", True, False),
        ("666 f 0 0 /etc/with space", False, True),
        ("777 d 0 0 /srv", False, True),
        ("1777 d 0 0 /var/tmp", False, False),
        ("666 s 0 0 /run/socket", False, False),
    ],
)
def test_a_file_that_was_found_says_what_is_wrong_with_it(line: str, identity: bool, open_to_all: bool) -> None:
    (file,) = readings.found_files(line)
    assert (file.changes_identity, file.open_to_all) == (identity, open_to_all)
    assert line.endswith(file.path)


def test_the_search_finds_what_it_is_for_and_nothing_else(tmp_path: Path) -> None:
    for name, mode in {"plain": 0o644, "set-id": 0o4755, "open": 0o666}.items():
        (tmp_path / name).touch()
        (tmp_path / name).chmod(mode)
    (tmp_path / "link").symlink_to("plain")
    argv = [str(tmp_path) if word == "/" else word for word in agent.found_files()]
    found = readings.found_files(subprocess.run(argv, capture_output=True, text=True, check=True).stdout)
    assert {Path(file.path).name for file in found} == {"set-id", "open"}


def test_a_search_that_was_cut_off_does_not_look_good() -> None:
    with pytest.raises(HostError, match="took too long"):
        _ = answered(filesystem=Answer(124, "")).found_files


def test_of_mounts_at_one_place_the_last_counts() -> None:
    mounts = readings.mounts("tmpfs /tmp tmpfs rw 0 0\ntmpfs /tmp tmpfs rw,nosuid,nodev 0 0\n")
    assert mounts == {"/tmp": ("rw", "nosuid", "nodev")}  # noqa: S108  a key


@pytest.mark.parametrize(("said", "mib"), [("take up 16.0M in", 16.0), ("take up 1.5G in", 1536.0), ("nothing", None)])
def test_the_journals_size_is_in_mib(said: str, mib: float | None) -> None:
    assert readings.journal_mib(f"Archived and active journals {said} the file system.") == mib


def test_needrestarts_own_configuration_decides(tmp_path: Path) -> None:
    configuration = tmp_path / "needrestart.conf"
    configuration.write_text("$nrconf{override_rc}{qr(^himari-)} = 0; $nrconf{override_rc}{qr(^cron)} = 1; 0;\n")
    program = agent.NEEDRESTART.replace("/etc/needrestart/needrestart.conf", str(configuration))
    argv = ["perl", "-e", program, "himari-collector.service", "cron.service", "ssh.service"]
    out = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    assert answered(needrestart=Answer(0, out)).needrestart == {
        "himari-collector.service": "0",
        "cron.service": "1",
        "ssh.service": "1",
    }


@pytest.mark.parametrize(
    ("line", "unsigned"),
    [
        ("deb [trusted=yes] file:/srv ./", True),
        ("deb [arch=amd64 allow-insecure=yes] http://mirror stable main", True),
        ("Trusted: yes", True),
        ("deb [signed-by=/usr/share/keyrings/key.gpg] http://mirror stable main", False),
        ("Trusted: no", False),
    ],
)
def test_a_source_without_a_signature_is_seen_in_either_form(line: str, unsigned: bool) -> None:
    assert readings.sources(f"# Trusted: yes\n\n  {line}\n") == [line]
    assert readings.unsigned(line) is unsigned
