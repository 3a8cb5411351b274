"""Machines that exist already: a server that Himari makes an edge of, a computer at home that it leaves as it is.

The tests share the machines and run in the order in which they stand."""

import os
import socket
import subprocess
from pathlib import Path

import msgspec

from himari.proof.evidence import Status, read_evidence
from himari.runs.report import DestroyReport, UpReport
from himari.stack.known import read_known, write_known
from tests.lab.commands import commands_since
from tests.lab.rented import Rented


def test_a_host_that_nobody_reaches_is_told_as_such(rented: Rented, tmp_path: Path) -> None:
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        whole = rented.file.read_text()
        address = rented.machines["edge"].address
        rented.rewrite(f'"{address}"', f'"127.0.0.1"\nssh_port = {taken.getsockname()[1]}')
        done = rented.himari("up", str(rented.file), state=tmp_path)
        rented.file.write_text(whole)
    assert done.returncode == 4, done.stderr
    assert "where: edge" in done.stderr
    assert "cannot be reached" in done.stderr


def test_a_refused_key_is_told_as_such(rented: Rented, tmp_path: Path) -> None:
    stranger = tmp_path / "stranger"
    argv = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(stranger))
    subprocess.run(argv, check=True)
    whole = rented.file.read_text()
    key = next(line for line in whole.splitlines() if line.startswith("identity_file"))
    rented.rewrite(key, f'identity_file = "{stranger}"')
    done = rented.himari("up", str(rented.file), state=tmp_path)
    rented.file.write_text(whole)
    assert done.returncode == 4, done.stderr
    assert "refuses the operator's key" in done.stderr
    assert "identity_file" in done.stderr


def test_two_machines_become_a_stack_that_is_green(rented: Rented, rented_up: UpReport) -> None:
    assert rented_up.green
    known = read_known(rented.state.hosts)
    assert {name: host.ssh_host_key for name, host in known.items()} == {
        name: host.ssh_host_key for name, host in rented.machines.items()
    }
    ledger = [check for check in read_evidence(rented.state.evidence).checks if check.phase == "ledger"]
    assert ledger
    assert all(check.status is Status.PASSED for check in ledger)


def test_root_is_shut_out_of_the_edge_after_first_contact(rented: Rented, rented_up: UpReport) -> None:
    key = f"{rented.root}/machines/ssh/id_ed25519"
    options = ("-F", "none", "-i", key, "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no")
    pins = ("-o", f"UserKnownHostsFile={os.devnull}")
    login = ("ssh", *options, *pins, f"root@{rented.machines['edge'].address}", "true")
    done = subprocess.run(login, capture_output=True, text=True, check=False)
    assert done.returncode == 255
    assert "Permission denied" in done.stderr


def test_a_second_up_changes_nothing_and_costs_two_commands_a_host(rented: Rented, rented_up: UpReport) -> None:
    start = rented.inside("edge", "date +%s.%N").strip()
    assert rented.up().changed == ()
    for host in ("edge", "brain"):
        commands = commands_since(lambda script, at=host: rented.inside(at, script), start)
        assert len(commands) == 2, (host, commands)


def test_the_machine_at_home_got_what_the_stack_needs_and_nothing_else(rented: Rented, rented_up: UpReport) -> None:
    now = rented.own()
    new = set(now.pop("packages").split()) - set(rented.untouched["packages"].split())
    assert now == {name: rented.untouched[name] for name in now}
    assert new <= {"wireguard-tools", "nftables", "ca-certificates", "python3-venv"}
    units = rented.inside("brain", "systemctl list-unit-files --state=enabled --no-legend 'himari*'")
    assert {line.split()[0] for line in units.splitlines()} == {
        "himari-consumer.service",
        "himari-deadman.timer",
        "himari-firewall.service",
        "himari-self-check-daily.timer",
        "himari-self-check-weekly.timer",
        "himari-tunnel.timer",
    }
    assert rented.inside("brain", "systemctl is-enabled wg-quick@wg0.service") == "enabled\n"
    rules = rented.inside("brain", "nft list table inet himari")
    assert "policy accept" in rules
    assert "policy drop" not in rules


def test_another_host_key_than_the_pinned_one_ends_the_run(rented: Rented, rented_up: UpReport) -> None:
    known = read_known(rented.state.hosts)
    swapped = {**known, "edge": msgspec.structs.replace(known["edge"], ssh_host_key=known["brain"].ssh_host_key)}
    rented.himari("status", str(rented.file))  # whatever it says: connections that are open now need no key
    _close(rented)
    write_known(rented.state.hosts, swapped)
    done = rented.himari("up", str(rented.file))
    write_known(rented.state.hosts, known)
    assert done.returncode == 4, done.stderr
    assert "ssh host key is not the pinned one" in done.stderr
    assert "SHA256:" in done.stderr


def test_destroy_removes_what_it_put_and_says_what_stays(rented: Rented, rented_up: UpReport) -> None:
    done = rented.himari("destroy", str(rented.file), "--yes", "--json")
    assert done.returncode == 0, done.stderr
    report = msgspec.json.decode(done.stdout, type=DestroyReport)
    assert report.left == ()
    assert [line.partition(":")[0] for line in report.stays] == ["edge", "brain"]
    for host in ("edge", "brain"):
        assert rented.inside(host, "systemctl list-units --no-legend 'himari*' 'wg-quick@*'") == ""
        assert rented.inside(host, "ls -d /opt/himari /etc/himari /etc/wireguard/* 2>/dev/null || true") == ""
        assert "himari" not in rented.inside(host, "nft list tables")
    assert rented.own()["its own rules"] == rented.untouched["its own rules"]
    assert rented.inside("brain", "ls /var/lib/himari/parquet") != ""


def _close(rented: Rented) -> None:
    config = str(rented.state.ssh / "config")
    for host in ("edge", "brain"):
        subprocess.run(("ssh", "-F", config, "-O", "exit", host), capture_output=True, check=False)
