"""Each fault that is planted on a host turns its own check red, with a sentence that names it, and no other."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from himari.lab import lab
from himari.proof.evidence import Check, Status
from himari.proof.subject import Subject
from himari.proof.validate import run_checks
from himari.runs.report import UpReport
from himari.stack.known import read_known
from himari.stack.paths import VALIDATION
from tests.lab.conftest import STACK, OwnLab

NFT = "nft insert rule inet himari"
ACL = "/etc/redis/himari.acl"
OPEN = "user default on nopass allkeys allcommands"
# One of each that a check of a host's own looks for; they do not touch each other. What runs is not reloaded.
SSHD = "/etc/ssh/sshd_config.d/00-himari.conf"
CHANGED = (
    *("/etc/profile.d/himari.sh", "/etc/systemd/system.conf.d/himari.conf", SSHD),
    *("/etc/needrestart/conf.d/himari.conf", "/etc/modprobe.d/himari.conf"),
)
LOOSE = f"""
tar -cPf /root/whole.tar {" ".join(CHANGED)}
cp -p /usr/bin/id /usr/local/bin/become; chmod u+s /usr/local/bin/become
touch /etc/everybodys /etc/nobodys; chmod o+w /etc/everybodys; chown 4711 /etc/nobodys
echo 'himari ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/more
chmod o+r /etc/shadow
echo 'umask 022' >>/etc/profile.d/himari.sh
mount -o remount,suid /tmp
echo 'Acquire::AllowInsecureRepositories "true";' >/etc/apt/apt.conf.d/53more
sed -i /himari-/d /etc/needrestart/conf.d/himari.conf
sed -i /sctp/d /etc/modprobe.d/himari.conf
sed -i s/=0/=infinity/ /etc/systemd/system.conf.d/himari.conf; systemctl daemon-reload
sed -i -e '/^KexAlg/s/,diffie.*//' -e '/^MACs/d' -e 's/VERBOSE/INFO/' {SSHD}
sed -i -e '/^StrictModes/s/yes/no/' -e '/^AuthenticationM/d' {SSHD}
"""
TIGHT = """
tar -xPpf /root/whole.tar; systemctl daemon-reload
rm /usr/local/bin/become /etc/everybodys /etc/nobodys /etc/sudoers.d/more /etc/apt/apt.conf.d/53more /root/whole.tar
chmod o-r /etc/shadow
mount -o remount,nosuid /tmp
"""


OPENED = "/run/systemd/system/himari-collector.service.d"
SANDBOX = "\\n".join(
    (
        *("[Service]", "ProtectSystem=no", "PrivateDevices=no", "PrivateUsers=no", "NoNewPrivileges=no"),
        *("SystemCallFilter=", "RestrictNamespaces=no", "ProtectKernelModules=no"),
    )
)


class Plant(msgspec.Struct, frozen=True, kw_only=True):
    """What is done on a host, how it is undone, which checks it turns red, and what one of them says."""

    name: str
    host: str
    do: str
    undo: str
    red: tuple[str, ...]  # "HOST CHECK"
    says: str
    folder: str  # of the checks that are run
    later: tuple[str, ...] = ()  # checks that it turns red only after some time, which a busy machine may take


# Plants of one bed stand side by side: each turns other checks red than its neighbours, and hides none of theirs.
BEDS: dict[str, tuple[Plant, ...]] = {
    "what lies and listens on the hosts": (
        Plant(
            name="a file that anybody may write",
            host="edge",
            do="chmod 0666 /etc/redis/himari.conf",
            undo="chmod 0640 /etc/redis/himari.conf",
            red=("edge redis_buffer.files", "edge accounts.world-writable"),
            says="/etc/redis/himari.conf is root:redis 0666: `himari up lab-edge` puts it right",
            folder="day02_redis",
        ),
        Plant(
            name="a listener that nobody declared",
            host="edge",
            do="systemd-run -q --unit=stranger python3 -m http.server 47111",
            undo="systemctl stop stranger",
            red=("edge nftables.allow-list",),
            says="python3 on tcp 47111: stop it",
            folder="day03_network",
        ),
        Plant(
            name="the same way, opened on the brain",
            host="brain",
            do=f"{NFT} input iifname wg0 tcp dport 22 accept",
            undo="systemctl restart himari-firewall",
            red=("brain nftables.accepts",),
            says="besides what is declared: input: iifname wg0 tcp dport 22 accept",
            folder="day03_network",
        ),
        Plant(
            name="passwords over ssh",
            host="brain",
            do=f"sed -i '/^PasswordAuthentication/s/no/yes/' {SSHD}",
            undo=f"sed -i '/^PasswordAuthentication/s/yes/no/' {SSHD}",
            red=("brain sshd.no-passwords",),
            says="'yes' == 'no'",
            folder="day01_host",
        ),
        Plant(
            name="a unit that failed",
            host="exchange",
            do="systemd-run -q --unit=broken false; sleep 0.3",
            undo="systemctl reset-failed broken",
            red=("exchange kernel.failed-units",),
            says="broken.service failed: `systemctl status broken.service` tells why",
            folder="day01_host",
        ),
        Plant(
            name="a kernel setting",
            host="edge",
            do="sysctl -qw net.ipv4.tcp_timestamps=0 net.core.somaxconn=128",
            undo="sysctl -qw net.ipv4.tcp_timestamps=1 net.core.somaxconn=1024",
            red=("edge kernel.sysctl.net.ipv4.tcp_timestamps", "edge kernel.sysctl.net.core.somaxconn"),
            says="expected 1: `himari up` sets it",
            folder="day01_host",
        ),
        Plant(
            name="a host that grew loose",
            host="exchange",
            do=LOOSE,
            undo=TIGHT,
            red=(
                "exchange accounts.set-user-id",
                "exchange accounts.world-writable",
                "exchange accounts.unowned",
                "exchange accounts.sudo",
                "exchange accounts.shadow",
                "exchange accounts.umask",
                "exchange accounts.no-cores",
                "exchange accounts.tmp",
                "exchange upgrades.signed",
                "exchange upgrades.leaves-ours",
                "exchange kernel.unused-modules",
                "exchange sshd.strict-modes",
                "exchange sshd.algorithms",
                "exchange sshd.key-exchange",
                "exchange sshd.methods",
                "exchange sshd.log",
            ),
            says="/usr/local/bin/become: `chmod ug-s` it, or remove it",
            folder="day01_host",
        ),
    ),
    "who may come in": (
        Plant(
            name="the default user on",
            host="edge",
            do=f"cp -p {ACL} {ACL}.whole; sed -i '/^user default/c {OPEN}' {ACL}; systemctl restart redis-server",
            undo=f"mv {ACL}.whole {ACL}; systemctl restart redis-server",
            # From elsewhere Redis' protected mode then refuses everybody, also those with a name.
            red=(
                "edge redis.default-off",
                "edge redis.anonymous-from-edge",
                "edge redis.reloads",
                "edge redis.reader-reads-from-brain",
                "edge redis.reader-writes-from-brain",
            ),
            says="switch it off",
            folder="day02_redis",
        ),
        Plant(
            name="a way from the edge to the brain, opened on the edge",
            host="edge",
            do=f"{NFT} output oifname wg0 tcp dport 22 accept",
            undo="systemctl restart himari-firewall",
            red=("edge nftables.accepts", "brain nftables.edge-to-22-tunnel"),
            says="besides what is declared: output: oifname wg0 tcp dport 22 accept",
            folder="day03_network",
        ),
    ),
    "the tunnel": (
        Plant(
            name="a peer with another's address",
            host="edge",
            do="wg set wg0 peer $(wg show wg0 peers) allowed-ips 10.77.0.9/32",
            undo="systemctl restart wg-quick@wg0",
            red=(
                "edge wireguard.peers",
                "edge wireguard.mtu",
                "brain wireguard.mtu",
                "edge nftables.brain-to-22-tunnel",
                "edge nftables.brain-to-6379-tunnel",
                "edge nftables.brain-to-9100-tunnel",
                "edge nftables.brain-to-9121-tunnel",
                "edge nftables.brain-to-9464-tunnel",
                "edge nftables.brain-to-9466-tunnel",
                "edge nftables.brain-to-9467-tunnel",
            ),
            says="expected brain 10.77.0.2/32; `himari up` sets them",
            folder="day03_network",
        ),
    ),
    "units that are open or off": (
        Plant(
            name="a sandbox that was opened",
            host="edge",
            do=f"mkdir -p {OPENED}; printf '{SANDBOX}\\n' >{OPENED}/zz.conf; systemctl daemon-reload",
            undo=f"rm -r {OPENED}; systemctl daemon-reload",
            red=("edge collector.himari-collector.service.exposure",),
            says=", expected below 3.0",
            folder="day08_runtime",
            # What tests before this one have killed, and a tunnel that the plant before has parted.
            later=("edge collector.himari-collector.service.steady", "brain consumer.stores"),
        ),
        Plant(
            name="a consumer that stopped",
            host="brain",
            do="systemctl stop himari-consumer",
            undo="systemctl start himari-consumer",
            red=(
                "brain consumer.himari-consumer.service.active",
                "brain consumer.consumer-metrics.listens",
                "brain consumer.open-files",
            ),
            says="inactive (result success)",
            folder="day08_runtime",
            later=("brain consumer.stores",),
        ),
    ),
    "the source": (
        Plant(
            name="a collector that stopped",
            host="edge",
            do="systemctl stop himari-collector",
            undo="systemctl start himari-collector",
            red=(
                "edge collector.himari-collector.service.active",
                "edge collector.collector-metrics.listens",
                "edge collector.heartbeat",
                "edge collector.line",
                "edge collector.parses",
                "edge collector.pushes",
                "edge collector.clock",
                "edge collector.prompt",
                "edge collector.cpus",
                "edge collector.open-files",
            ),
            says="`himari lab exec edge -- journalctl -u himari-collector.service -n 50` tells why",
            folder="day08_runtime",
            later=("brain consumer.stores", "edge collector.himari-collector.service.steady"),
        ),
    ),
}


@pytest.fixture
def bed(request: pytest.FixtureRequest, lab_edge: OwnLab, first_up: UpReport) -> Iterator[tuple[Plant, ...]]:
    """Plants on their hosts, gone at the end."""
    plants = BEDS[request.param]
    with ExitStack() as planted:
        for plant in plants:
            lab_edge.inside(plant.host, plant.do)
            planted.callback(lab_edge.inside, plant.host, plant.undo)
        yield plants


@pytest.mark.parametrize("bed", BEDS, indirect=True)
def test_each_fault_turns_its_own_checks_red(bed: tuple[Plant, ...], lab_edge: OwnLab, tmp_path: Path) -> None:
    red = reds(lab_edge, tmp_path, *{plant.folder for plant in bed})
    later = {check for plant in bed for check in plant.later}
    assert {f"{check.host} {check.id}" for check in red} - later == {check for plant in bed for check in plant.red}
    for plant in bed:
        own = [check.reason for check in red if f"{check.host} {check.id}" in plant.red]
        assert any(plant.says in reason for reason in own), (plant.name, own)


def test_nothing_is_red_once_all_faults_are_gone(lab_edge: OwnLab, first_up: UpReport, tmp_path: Path) -> None:
    deadline = time.monotonic() + 60
    # a service that was stopped for a fault needs a moment until what it stores is fresh again
    while found := [(check.host, check.id, check.reason) for check in reds(lab_edge, tmp_path)]:
        assert time.monotonic() < deadline, found


def reds(edge: OwnLab, log: Path, *folders: str) -> list[Check]:
    """The checks below these folders of validation/, or below all, that do not hold now."""
    outside = lab.outside_argv(STACK, (), edge.state)
    subject = Subject(edge.stack, read_known(edge.state.hosts), edge.remote(), outside=outside)
    checks = run_checks(subject, log / "checks.log", *(VALIDATION / folder for folder in folders))
    return [check for check in checks if check.status is Status.FAILED]
