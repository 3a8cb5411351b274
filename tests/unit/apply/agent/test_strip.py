"""What a strip removes, what it leaves, and that nobody works against it; systemd and nftables are stand-ins."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from himari.apply.agent.main import answer
from himari.apply.agent.places import Places
from himari.apply.agent.wireguard import NOTE
from himari.catalog.hostpaths import WIREGUARD_KEY_MADE, WIREGUARD_PRIVATE_KEY

TOKEN = "0123456789abcdef"
# Units in `active` run; each call is noted.
SYSTEMCTL = """#!/bin/sh
folder=$(dirname "$0")
echo "$*" >>"$folder/calls"
case $1 in
show) shift 3; for unit; do
  grep -qx "$unit" "$folder/active" && echo ActiveState=active || echo ActiveState=inactive; echo; done;;
disable) [ "$2" != --now ] || sed -i "/^$3$/d" "$folder/active";;
esac
"""
NFT = """#!/bin/sh
echo "$*" >>"$(dirname "$0")/calls"
exit 1
"""
STUBBORN = SYSTEMCTL.replace("disable) ", "disable) exit 1 ")
HOLD = (
    "import fcntl, sys; f = open(sys.argv[1], 'w'); fcntl.flock(f, fcntl.LOCK_EX); print('held', flush=True); input()"
)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    names = ("run", "lib", "etc", "system", "credstore", "wheels", "environments", "trees")
    folders = {name: tmp_path / name for name in names}
    return Places(**folders, wireguard_key=tmp_path / "wireguard" / "private.key")


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the stand-ins: `active` names the units that run, `calls` what was asked of systemd and nft."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, text in (("systemctl", SYSTEMCTL), ("nft", NFT)):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    (folder / "active").write_text("himari-collector.service\n")
    (folder / "calls").touch()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


def request(places: Places, **changed: list[str]) -> dict[str, Any]:
    folders = [str(places.lib)]
    return {
        "stack": "tokyo",
        "units": ["himari-collector.service"],
        "files": [],
        "keys": [],
        "folders": folders,
    } | changed


def written(path: Path, text: str = "") -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


def test_all_that_is_named_is_gone_and_what_is_others_stays(places: Places, programs: Path, tmp_path: Path) -> None:
    ours = written(places.system / "redis-server.service.d" / "himari.conf")
    shared = written(places.system / "ssh.service.d" / "himari.conf")
    theirs = written(places.system / "ssh.service.d" / "local.conf")
    written(places.lib / "units" / "x.service")
    assert answer("strip", request(places, files=[ours, shared, "/nowhere/x"]), places) == {"left": [], "keys": []}
    assert not Path(ours).parent.exists()
    assert not Path(shared).exists()
    assert Path(theirs).exists()
    assert not places.lib.exists()
    assert not places.run.exists()
    calls = (programs / "calls").read_text().splitlines()
    assert calls.index("disable --now himari-collector.service") < calls.index("daemon-reload")
    assert "delete table inet himari" in calls


def test_locks_of_labs_on_the_same_machine_stay(places: Places, programs: Path) -> None:
    written(places.run / "machine.lock")
    written(places.run / "check-killed" / "candidate")
    assert answer("strip", request(places), places) == {"left": [], "keys": []}
    assert [path.name for path in places.run.iterdir()] == ["machine.lock"]


@pytest.mark.parametrize("other", [True, False], ids=["another tunnel uses it", "nobody does"])
def test_a_wireguard_key_goes_unless_somebody_else_uses_it(
    places: Places, programs: Path, tmp_path: Path, other: bool
) -> None:
    key = written(tmp_path / "wireguard" / "private.key")
    if other:
        written(tmp_path / "wireguard" / "wg9.conf", f"PostUp = wg set %i private-key {key}\n")
    assert answer("strip", request(places, keys=[key]), places)["keys"] == ([] if other else [key])
    assert Path(key).exists() == other


@pytest.mark.parametrize("noted", ["", "other", "public half"])
def test_a_key_that_first_contact_made_goes_also_when_no_run_lived_to_note_it(
    places: Places, programs: Path, noted: str
) -> None:
    (programs / "wg").write_text("#!/bin/sh\necho public half\n")
    (programs / "wg").chmod(0o755)
    key, note = written(places.wireguard_key), Path(f"{places.wireguard_key}.himari")
    if noted:
        written(note, f"{noted}\n")
    ours = noted == "public half"
    assert answer("strip", request(places), places) == {"left": [], "keys": [key] if ours else []}
    assert Path(key).exists() != ours
    assert note.exists() == (noted == "other")


def test_the_agent_looks_for_the_key_where_first_contact_makes_it() -> None:
    assert str(Places().wireguard_key) == WIREGUARD_PRIVATE_KEY
    assert f"{Places().wireguard_key}{NOTE}" == WIREGUARD_KEY_MADE


def test_what_resists_is_told(places: Places, programs: Path, tmp_path: Path) -> None:
    (programs / "systemctl").write_text(STUBBORN)
    (programs / "nft").write_text("#!/bin/sh\n[ $1 = list ]\n")
    folder = tmp_path / "full"
    written(folder / "x")
    assert answer("strip", request(places, files=[str(folder)]), places) == {
        "left": [
            "unit himari-collector.service is still active",
            f"{folder} is still there",
            "the firewall's table inet himari is still there",
        ],
        "keys": [],
    }


@pytest.mark.parametrize("holder", ["tokyo", "osaka"])
def test_only_its_own_stack_strips_a_host(places: Places, programs: Path, holder: str) -> None:
    written(places.etc / "stack", f"{holder}\n")
    answered = answer("strip", request(places), places)
    if holder == "tokyo":
        assert answered == {"left": [], "keys": []}
    else:
        assert "it belongs to the stack osaka" in answered["failure"]["what"]
        assert (programs / "calls").read_text() == ""


def armed(places: Places) -> Path:
    """What a guarded change leaves that was never confirmed: its folder, and the unit that undoes it at boot."""
    written(places.guards / TOKEN / "restore", f"#!/bin/sh\nmv {places.guards / TOKEN} {places.guards}/x.undone\n")
    boot = places.system / f"himari-guard-{TOKEN}-boot.service"
    written(boot)
    return boot


def cut_off(places: Places) -> Path:
    """A confirmation that was cut off before the boot's unit was gone."""
    boot = armed(places)
    (places.guards / TOKEN).rename(places.guards / f"{TOKEN}.kept")
    return boot


@pytest.mark.parametrize("guard", [armed, cut_off])
def test_no_guard_puts_back_what_is_removed(places: Places, programs: Path, guard: Callable[[Places], Path]) -> None:
    boot = guard(places)
    assert answer("strip", request(places), places) == {"left": [], "keys": []}
    assert not boot.exists()
    calls = (programs / "calls").read_text().splitlines()
    disarmed = next(number for number, call in enumerate(calls) if call.endswith(boot.name))
    assert disarmed < calls.index("disable --now himari-collector.service")
    if guard is armed:
        assert f"stop himari-guard-{TOKEN}.timer" in calls[:disarmed]


def test_a_strip_waits_for_an_activation_that_is_at_work(places: Places, programs: Path) -> None:
    places.run.mkdir()
    pipe, seen = subprocess.PIPE, []
    argv = [sys.executable, "-c", HOLD, str(places.run / "lock")]
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, text=True) as activation:
        assert activation.stdout is not None
        assert activation.stdout.readline() == "held\n"

        def end() -> None:
            seen.append((programs / "calls").read_text())
            activation.kill()

        ending = threading.Timer(0.4, end)
        ending.start()
        assert answer("strip", request(places), places) == {"left": [], "keys": []}
        ending.join()
    assert seen == [""]
    assert "disable --now" in (programs / "calls").read_text()
