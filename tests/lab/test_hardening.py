"""What others' tools say of a host, and what an upgrade does to it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from himari.lab import lab
from himari.runs.report import UpReport
from himari.stack.known import read_known
from tests.lab.conftest import STACK, OwnLab

SSH_AUDIT = Path(sys.executable).with_name("ssh-audit")
# Without these it saw nothing of the server.
SECTIONS = {
    "# key exchange algorithms",
    "# host-key algorithms",
    "# encryption algorithms (ciphers)",
    "# message authentication code algorithms",
}
# What paramiko needs is offered behind what is safe from quantum computers.
EXEMPT = re.compile(r"\(kex\) curve25519-sha256(@libssh\.org)? .*\[warn\] .*post-quantum")
WITNESS = "witness.service"
LIBRARY = "libssl3"  # which Redis, and Python's services, hold open
# A newer one, made of the files of the one that is installed, offered by an archive that says that it is Debian's for
# security; and a service that holds it open and is nobody's: that one has to be restarted.
OFFER = f"""
where=/srv/upgrade; rm -rf $where; mkdir -p $where/made/DEBIAN
for path in $(dpkg -L {LIBRARY}); do [ -d $path ] || [ ! -e $path ] || cp --parents -P $path $where/made; done
dpkg -s {LIBRARY} | sed -e '/^Status:/d' -e 's/^Version: .*/&+himari1/' >$where/made/DEBIAN/control
dpkg-deb --build -Znone $where/made $where/newer.deb
cd $where; rm -r made
{{ dpkg-deb -f newer.deb; echo Filename: ./newer.deb; echo Size: $(stat -c %s newer.deb)
echo SHA256: $(sha256sum newer.deb | cut -d' ' -f1); echo; }} >Packages
. /etc/os-release
cat >Release <<END
Origin: Debian
Label: Debian-Security
Suite: stable-security
Codename: $VERSION_CODENAME-security
Date: $(date -Ru)
SHA256:
 $(sha256sum Packages | cut -d' ' -f1) $(stat -c %s Packages) Packages
END
echo "deb [trusted=yes] file:$where ./" >archive.list
cat >apt.conf <<END
Dir::Etc::sourcelist "$where/archive.list";
Dir::Etc::sourceparts "-";
Dir::State::lists "$where/lists";
END
mkdir -p lists/partial
cat >/run/systemd/system/{WITNESS} <<END
[Service]
ExecStart=/usr/bin/python3 -c 'import ssl, time; print(ssl.OPENSSL_VERSION, flush=True); time.sleep(3600)'
END
systemctl daemon-reload; systemctl start {WITNESS}
until journalctl -q -u {WITNESS} -o cat | grep -q OpenSSL; do sleep 0.1; done
"""
UPGRADE = """
export APT_CONFIG=/srv/upgrade/apt.conf
apt-get -qq update
unattended-upgrade --verbose
"""


@pytest.mark.parametrize("host", ["exchange", "edge", "brain"])
def test_ssh_audit_finds_nothing_weak(lab_edge: OwnLab, first_up: UpReport, host: str) -> None:
    address = read_known(lab_edge.state.hosts)[host].address
    assert weak(address) == []


def test_a_server_that_ssh_audit_does_not_see_is_not_taken_for_a_strong_one() -> None:
    with pytest.raises(AssertionError, match="cannot connect"):
        weak("127.0.0.1:1")


def weak(address: str) -> list[str]:
    """What ssh-audit warns of at `address` beyond the exempt line. AssertionError where it saw no algorithms."""
    found = subprocess.run([str(SSH_AUDIT), "-n", address], capture_output=True, text=True, check=False, timeout=120)
    lines = found.stdout.splitlines()
    assert set(lines) >= SECTIONS, found.stdout + found.stderr
    return [line for line in lines if ("[warn]" in line or "[fail]" in line) and not EXEMPT.match(line)]


@pytest.mark.parametrize(
    ("host", "left_alone"),
    [
        ("edge", ("redis-server", "himari-collector", "himari-segments", "wg-quick@wg0")),
        ("brain", ("himari-consumer", "wg-quick@wg0")),
    ],
)
def test_an_unattended_upgrade_restarts_nothing_that_carries_the_data(
    lab_edge: OwnLab, first_up: UpReport, host: str, left_alone: tuple[str, ...]
) -> None:
    at_length(lab_edge, host, OFFER)
    installed = version(lab_edge, host)
    before = {unit: start(lab_edge, host, unit) for unit in (*left_alone, WITNESS)}
    told = at_length(lab_edge, host, UPGRADE)
    assert version(lab_edge, host) == f"{installed}+himari1", told
    after = {unit: start(lab_edge, host, unit) for unit in before}
    assert after.pop(WITNESS) != before.pop(WITNESS), told
    assert after == before, told


def start(edge: OwnLab, host: str, unit: str) -> str:
    """What tells one start of a unit from the next, and its main process where it keeps one."""
    shown = edge.inside(host, f"systemctl show -p ActiveState -p InvocationID -p MainPID {unit}")
    assert "ActiveState=active" in shown
    return shown


def version(edge: OwnLab, host: str) -> str:
    return edge.inside(host, f"dpkg-query -W -f '${{Version}}' {LIBRARY}")


def at_length(edge: OwnLab, host: str, script: str) -> str:
    """What a script that takes its time says on `host`."""
    argv = lab.exec_argv(STACK, host, ("sh", "-ec", script), edge.state)
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=400)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
