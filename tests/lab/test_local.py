"""`address = "local"`: the brain is the machine on which himari runs, and stays its owner's in all else.

The tests share the machines and run in the order in which they stand."""

import json
import subprocess
from collections.abc import Iterator
from functools import partial

import msgspec
import pytest

from himari.catalog.consumer import UNIT as CONSUMER
from himari.catalog.deadman import SERVICE as DEADMAN
from himari.catalog.deadman import TIMER
from himari.catalog.hostpaths import CONSUMER_SETTINGS, PARQUET, RUNTIME_VENV, UNITS
from himari.proof.evidence import Evidence, Status
from himari.runs.drift import DriftReport
from himari.runs.report import DestroyReport, UpReport
from himari.runs.status import StackStatus
from himari.stack.known import KnownHost
from tests.lab.commands import commands_since
from tests.lab.home import HERE, OWNER, STACK, STATE, SUDO, Home, at_home

ROWS = f"""
import json, pathlib
from pyarrow.parquet import ParquetFile
files = [ParquetFile(path) for path in pathlib.Path("{PARQUET}").rglob("*.parquet")]
print(json.dumps([row for file in files for row in file.read(["kind", "symbol"]).to_pylist()]))
"""
STAYS = ("/var/lib/himari", "user himari-consumer")
# systemd's own, once a machine has a credential.
SYSTEMD = ("/etc/credstore.encrypted", "/var/lib/systemd/credential.secret")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A computer that nothing was brought up on yet, and a server."""
    with at_home(tmp_path_factory.mktemp("home")) as computer:
        yield computer


@pytest.fixture(scope="module")
def home_up(home: Home) -> UpReport:
    """What the second `up` there reported: the first put all in place, and was stopped before the proof."""
    assert home.up_to_the_proof() == 130
    return home.up()


def test_whoever_may_not_become_root_here_is_told_so(home: Home) -> None:
    home.inside(HERE, f"mv {SUDO} /root/")
    done = home.himari("up", STACK)
    home.inside(HERE, f"mv /root/{OWNER} {SUDO}")
    assert done.returncode == 5, done.stderr
    assert "where: brain" in done.stderr
    assert "you must be root or have sudo without a password" in done.stderr


def test_the_machine_that_himari_runs_on_becomes_a_brain_that_is_green(home: Home, home_up: UpReport) -> None:
    assert home_up.green
    known = msgspec.json.decode(home.inside(HERE, f"cat {STATE.hosts}"), type=dict[str, KnownHost])
    assert known[HERE].address == "local"
    assert known[HERE].wireguard_public_key == home.inside(HERE, "wg show wg0 public-key").strip()
    assert known["edge"].ssh_host_key == home.known["edge"].ssh_host_key
    checks = evidence(home).checks
    assert {check.status for check in checks if check.phase == "ledger"} == {Status.PASSED}
    assert {check.phase for check in checks if check.host == HERE} >= {"day03_network", "day08_runtime"}


def test_a_second_up_changes_nothing_and_reaches_this_machine_without_ssh(home: Home, home_up: UpReport) -> None:
    assert home_up.changed == ()
    for host in ("edge", HERE):
        commands = commands_since(partial(home.inside, host), home.since)
        assert len(commands) == 2, (host, commands)
    assert home.inside(HERE, f"journalctl --quiet --no-pager -t sshd --since @{home.since}") == ""


def test_what_the_venue_sends_is_in_parquet_here(home: Home, home_up: UpReport) -> None:
    rows = json.loads(home.inside(HERE, f"{RUNTIME_VENV}/bin/python -c '{ROWS}'"))
    frames = [row["symbol"] for row in rows if row["kind"] == "frame" and row["symbol"] != "_"]
    assert home_up.ledger is not None
    assert home_up.ledger.stored == home_up.ledger.sent
    assert len(frames) >= home_up.ledger.stored
    assert set(frames) == {"BTC/USDT", "ETH/USDT"}


def test_it_keeps_its_own_and_gets_no_more_than_a_brain_needs(home: Home, home_up: UpReport) -> None:
    now = home.own()
    new = set(now.pop("packages").split()) - set(home.untouched["packages"].split())
    assert now == {name: home.untouched[name] for name in now}
    assert new <= {"wireguard-tools", "nftables", "ca-certificates", "python3-venv"}
    users = {name for name in home.everything() - home.before if name.startswith("user ")}
    assert users == {"user himari-consumer"}
    rules = home.inside(HERE, "nft list table inet himari")
    assert "policy accept" in rules
    assert "policy drop" not in rules


def test_status_knows_the_machine_itself(home: Home, home_up: UpReport) -> None:
    done = home.himari("status", STACK, "--json")
    assert done.returncode == 0, done.stderr + done.stdout
    status = msgspec.json.decode(done.stdout, type=StackStatus)
    (here,) = (host for host in status.hosts if host.host == HERE)
    assert here.probe is not None
    assert [tunnel.peer for tunnel in here.probe.tunnels] == ["edge"]
    assert here.probe.health[0].parquet is not None


def test_a_file_altered_here_is_found_by_drift_and_by_validate(home: Home, home_up: UpReport) -> None:
    timer = f"{UNITS}/{TIMER}"
    home.inside(HERE, f"echo '# by hand' | tee -a {CONSUMER_SETTINGS} >>{timer}")
    with subprocess.Popen(home.argv("validate", STACK), stdout=subprocess.DEVNULL) as validating:
        done = home.himari("drift", STACK, "--json")  # a look needs not wait for a run
    report = msgspec.json.decode(done.stdout, type=DriftReport)
    assert done.returncode == 8, done.stderr
    assert {(one.host, one.what) for one in report.differs} == {
        (HERE, f"file {CONSUMER_SETTINGS}: content differs"),
        (HERE, f"file {timer}: content differs"),
        (HERE, f"unit {CONSUMER}: restart"),
        (HERE, f"unit {TIMER}: restart"),
    }
    assert "-# by hand" in report.diff
    assert validating.returncode == 7
    failed = {(check.host, check.id) for check in evidence(home).checks if check.status is Status.FAILED}
    assert failed == {(HERE, "consumer.files"), (HERE, "deadman.files")}


def test_destroy_leaves_here_what_it_says_and_nothing_else(home: Home, home_up: UpReport) -> None:
    failing = f"chmod 0 {CONSUMER_SETTINGS}; systemctl start {DEADMAN} || systemctl is-failed {DEADMAN}"
    assert home.inside(HERE, failing) == "failed\n"  # systemd would remember it
    done = home.himari("destroy", STACK, "--yes", "--json")
    assert done.returncode == 0, done.stderr
    report = msgspec.json.decode(done.stdout, type=DestroyReport)
    assert report.left == ()
    (stays,) = (line for line in report.stays if line.startswith(f"{HERE}:"))
    for said in ("data in /var/lib/himari", "the users that own it"):
        assert said in stays
    assert any("the WireGuard key that was made there" in line for line in report.removed)
    assert sorted(name for name in home.everything() - home.before if not name.startswith((*STAYS, *SYSTEMD))) == []
    assert home.before - home.everything() == set()
    assert home.own() | {"packages": ""} == home.untouched | {"packages": ""}


def evidence(home: Home) -> Evidence:
    """What the last proof at home wrote."""
    return msgspec.json.decode(home.inside(HERE, f"cat {STATE.evidence}"), type=Evidence)
