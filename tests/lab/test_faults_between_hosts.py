"""Faults of the way between two hosts of a lab, as the hosts feel them: in force once the call returns, and healed.

The modules of `test_faults_*` share three bare hosts and run in the order in which they stand."""

import os
import signal
import subprocess

from himari.drills.field import await_
from himari.lab import faults, lab
from himari.lab.standing import Standing
from tests.lab.broken import STACK, fastest_ms, inside, received, relays

SINK = """
import socket
listening = socket.create_server(("", 5000))
print(flush=True)
connection = listening.accept()[0]
while connection.recv(65536):
    pass
connection.send(b".")
"""
SOURCE = """
import socket, sys, time
connection = socket.create_connection((sys.argv[1], 5000))
start = time.monotonic()
connection.sendall(bytes(int(sys.argv[2])))
connection.shutdown(socket.SHUT_WR)
connection.recv(1)
print(time.monotonic() - start)
"""
LISTEN = """
import socket
listening = socket.socket(type=socket.SOCK_DGRAM)
listening.bind(("", 5001))
listening.settimeout(2)
print(flush=True)
listening.recv(9)
"""
SAY = """
import socket, sys
speaking = socket.socket(type=socket.SOCK_DGRAM)
for _ in range(3):
    speaking.sendto(b".", (sys.argv[1], 5001))
"""


def test_a_cut_is_between_two_hosts_and_no_others(on: Standing) -> None:
    for _ in range(2):
        assert {str(fault) for fault in faults.cut(on, "edge", "brain")} == {"cut edge -> brain", "cut brain -> edge"}
    assert received(on, "edge", "brain") == 0
    assert received(on, "edge", "exchange") == 3
    assert len(faults.heal(on)) == 2
    assert received(on, "edge", "brain") == 3


def test_a_cut_of_one_way_leaves_the_other(on: Standing) -> None:
    faults.cut(on, "edge", "brain", one_way=True)
    for host, other in (("edge", "brain"), ("brain", "edge")):  # each learns the address that it sends to
        inside(on, host, "ip", "neigh", "replace", on_address(on, other), "lladdr", on.hardware(other), "dev", "eth0")
    assert hears(on, "edge", speaker="brain")
    assert not hears(on, "brain", speaker="edge")


def test_loss_takes_its_share_of_each_way(on: Standing) -> None:
    faults.loss(on, "edge", "brain", 90)
    faults.loss(on, "edge", "brain", 30)
    # 51 of 100 echoes are lost on the way or back; 250 are outside these bounds once in a million runs.
    assert 80 < received(on, "edge", "brain", count=250) < 165


def test_delay_holds_each_way_and_survives_the_death_of_its_relay(on: Standing) -> None:
    faults.delay(on, "edge", "brain", 10)
    faults.delay(on, "brain", "edge", 25)
    assert fastest_ms(on, "edge", "brain") >= 50
    assert fastest_ms(on, "edge", "exchange") < 25
    for pid in relays(on):
        os.kill(pid, signal.SIGKILL)
    assert await_(lambda: received(on, "edge", "brain") == 3, 20)
    assert fastest_ms(on, "edge", "brain") >= 50
    faults.heal(on)
    assert relays(on) == []
    assert fastest_ms(on, "edge", "brain") < 25


def test_rate_bounds_a_transfer_and_outlives_the_receivers_power(on: Standing) -> None:
    faults.rate(on, "edge", "brain", 200_000)
    faults.power_off(on, "brain")
    faults.power_on(on, "brain")
    assert seconds_for(on, "edge", "brain", 400_000) > 1.5
    faults.rate(on, "edge", "brain", 100_000_000)
    assert seconds_for(on, "edge", "brain", 400_000) < 1.5


def test_faults_of_one_way_add_up(on: Standing) -> None:
    faults.delay(on, "edge", "brain", 20)
    faults.rate(on, "edge", "brain", 1_000_000)
    faults.loss(on, "edge", "brain", 0.1)
    assert fastest_ms(on, "edge", "brain") >= 40
    faults.cut(on, "edge", "brain")
    assert received(on, "edge", "brain") == 0
    assert {fault.kind for fault in faults.active(on)} == {"delay", "rate", "loss", "cut"}


def on_address(on: Standing, host: str) -> str:
    return inside(on, host, "hostname", "-I").split()[0]


def seconds_for(on: Standing, host: str, other: str, size: int) -> float:
    """How long `size` bytes take over TCP, until the other side has them all."""
    argv = lab.exec_argv(STACK, other, ("python3", "-c", SINK), on.state)
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as sink:
        assert sink.stdout is not None
        sink.stdout.readline()
        return float(inside(on, host, "python3", "-c", SOURCE, other, str(size)))


def hears(on: Standing, listener: str, speaker: str) -> bool:
    """Whether one of three datagrams arrives."""
    argv = lab.exec_argv(STACK, listener, ("python3", "-c", LISTEN), on.state)
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as listening:
        assert listening.stdout is not None
        listening.stdout.readline()
        inside(on, speaker, "python3", "-c", SAY, listener)
        return listening.wait() == 0
