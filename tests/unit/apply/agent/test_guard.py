"""Guarded changes that are cut off anywhere: files and scripts are real, systemd is a stand-in that notes its calls."""

import base64
import os
import shlex
import shutil
import subprocess
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from himari.apply.agent import guard
from himari.apply.agent.command import StepError
from himari.apply.agent.main import answer
from himari.apply.agent.places import Places
from himari.apply.agent.wire import Activation, FileChange

# A unit is active while a file of its name lies in `active`.
SYSTEMCTL = """#!/bin/sh
here=${0%/*}; echo "systemctl $*" >>"$here/called"
[ "$1" = show ] || exit 0
for name; do case $name in show|-*) continue;; esac
  if [ -e "$here/active/$name" ]; then state=active; else state=inactive; fi
  printf 'LoadState=loaded\\nActiveState=%s\\nUnitFileState=enabled\\n\\n' $state
done
"""
NOTES = '#!/bin/sh\necho "${0##*/} $*" >>"${0%/*}/called"\n'
CUT = "#!/bin/sh\nkill -9 $PPID\n"  # the power goes while the shell that runs this is at work
OLD, NEW = b"old\n", b"new\n"


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(
        **{name: tmp_path / name for name in ("run", "lib", "etc", "system", "wheels", "environments", "policy")}
    )


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the stand-ins, and of what they noted."""
    folder = tmp_path / "bin"
    (folder / "active").mkdir(parents=True)
    for name, text in {"systemctl": SYSTEMCTL, "systemd-run": NOTES}.items():
        put(folder / name, text)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


@pytest.fixture
def files(tmp_path: Path, programs: Path) -> list[Path]:
    """Two guarded files as they were before a change."""
    found = [tmp_path / "sshd.conf", tmp_path / "firewall.nft"]
    for path in found:
        path.write_bytes(OLD)
    return found


def put(program: Path, text: str) -> None:
    program.write_text(text)
    program.chmod(0o755)


def changed(files: list[Path], places: Places) -> str:
    """The token of a change of `files` that nobody has confirmed."""
    content = base64.b64encode(NEW).decode()
    changes = [FileChange(str(path), content, 0o644, "root", "root", [], [], guarded=True) for path in files]
    token = guard.arm(changes, [NEW, NEW], [], places, 60)
    for path in files:
        path.write_bytes(NEW)
    return token


def boot(token: str, places: Places) -> Path:
    return places.system / f"himari-guard-{token}-boot.service"


def reboot(token: str, places: Places) -> None:
    """Run what systemd runs for the boot unit, up to the first command that fails."""
    lines = boot(token, places).read_text().splitlines()
    for line in [line for line in lines if line.startswith("ExecStart=")]:
        subprocess.run(shlex.split(line.removeprefix("ExecStart=")), check=True)


def restored_up_to(program: str, token: str, places: Places, programs: Path) -> None:
    """The old state comes back until `program` is called; there the power is cut."""
    put(programs / program, CUT)
    guard.restore(token, places)
    (programs / program).unlink()


def nothing_left(places: Places) -> bool:
    return not [*places.guards.iterdir(), *places.system.iterdir()]


def test_a_restore_puts_all_back_and_leaves_nothing(files: list[Path], places: Places) -> None:
    guard.restore(changed(files, places), places)
    assert [path.read_bytes() for path in files] == [OLD, OLD]
    assert nothing_left(places)


@pytest.mark.parametrize("program", ["cp", "mv", "sync"], ids=["in the midst", "at first", "at last"])
def test_a_restore_that_a_power_cut_stopped_goes_on_at_boot(
    files: list[Path], places: Places, programs: Path, program: str
) -> None:
    token = changed(files, places)
    restored_up_to(program, token, places, programs)
    assert boot(token, places).exists()
    reboot(token, places)
    assert [path.read_bytes() for path in files] == [OLD, OLD]
    assert nothing_left(places)


def test_a_confirmation_that_is_cut_off_is_kept_at_boot_and_cleared_away_later(
    files: list[Path], places: Places
) -> None:
    token = changed(files, places)
    (places.guards / token).rename(places.guards / f"{token}.kept")
    reboot(token, places)
    assert [path.read_bytes() for path in files] == [NEW, NEW]
    assert guard.sweep(places) == []
    assert nothing_left(places)


def test_a_boot_unit_without_its_change_is_disabled(files: list[Path], places: Places, programs: Path) -> None:
    armed, lost = changed(files, places), changed(files, places)
    shutil.rmtree(places.guards / lost)
    assert guard.sweep(places) == []
    assert list(places.system.iterdir()) == [boot(armed, places)]
    assert f"systemctl disable --quiet {boot(lost, places).name}" in (programs / "called").read_text()
    assert guard.unconfirmed(places) == [armed]


def test_a_restore_that_was_over_but_for_its_folder_is_not_repeated(files: list[Path], places: Places) -> None:
    token = changed(files, places)
    boot(token, places).unlink()
    (places.guards / token).rename(places.guards / f"{token}.undone")
    assert guard.sweep(places) == []
    assert [path.read_bytes() for path in files] == [NEW, NEW]
    assert nothing_left(places)


def test_an_activation_ends_a_restore_that_was_cut_off_and_asks_for_another_look(
    files: list[Path], places: Places, programs: Path
) -> None:
    token = changed(files, places)
    restored_up_to("cp", token, places, programs)
    told: Any = answer("activate", asdict(Activation()), places)["failure"]
    assert token in told["what"]
    assert "himari up looks at this host anew" in told["lines"][0]
    assert [path.read_bytes() for path in files] == [OLD, OLD]
    assert answer("activate", asdict(Activation()), places)["failure"] is None


def test_a_restore_under_way_is_left_to_end(files: list[Path], places: Places, programs: Path) -> None:
    token = changed(files, places)
    restored_up_to("cp", token, places, programs)
    at_work = programs / "active" / f"himari-guard-{token}.service"
    at_work.touch()

    def end() -> None:
        for path in files:
            path.write_bytes(b"by the timer\n")
        boot(token, places).unlink()
        at_work.unlink()

    ending = threading.Timer(0.3, end)
    ending.start()
    assert guard.sweep(places) == [token]
    assert [path.read_bytes() for path in files] == [b"by the timer\n"] * 2
    assert nothing_left(places)


def test_disarmed_changes_stand_and_nothing_undoes_them(files: list[Path], places: Places, programs: Path) -> None:
    tokens = sorted(changed(files, places) for _ in range(2))
    assert guard.disarm_all(places) == tokens
    called = (programs / "called").read_text()
    for token in tokens:
        assert f"systemctl stop himari-guard-{token}.timer" in called
        assert f"systemctl disable --quiet {boot(token, places).name}" in called
    assert [path.read_bytes() for path in files] == [NEW, NEW]
    assert nothing_left(places)


def test_disarming_ends_a_restore_that_was_cut_off(files: list[Path], places: Places, programs: Path) -> None:
    restored_up_to("cp", changed(files, places), places, programs)
    assert guard.disarm_all(places) == []
    assert [path.read_bytes() for path in files] == [OLD, OLD]
    assert nothing_left(places)


def test_a_timer_that_was_faster_than_the_confirmation_is_told(files: list[Path], places: Places) -> None:
    token = changed(files, places)
    guard.restore(token, places)
    with pytest.raises(StepError, match="not confirmed in time"):
        guard.confirm(token, places)
