"""The tunnel between the hosts. The private key is made on the host, lies in a file of its own and never leaves it."""

from himari.catalog.component import Component, Directory, File, Flow, Guard, Listener, Package, Place, Unit, View
from himari.catalog.hostpaths import UNITS, WIREGUARD_CONFIG, WIREGUARD_INTERFACE, WIREGUARD_PRIVATE_KEY
from himari.catalog.mesh import peers
from himari.catalog.sandbox import EXPOSURE_MAX, rooted
from himari.stack.model import Role
from himari.stack.network import Peer, behind_nat, tunnel_address

UNIT = f"wg-quick@{WIREGUARD_INTERFACE}.service"
DROP_IN = f"{UNITS}/{UNIT}.d/himari.conf"
KEEPER, KEEPER_TIMER = "himari-tunnel.service", "himari-tunnel.timer"
KEEPER_SECONDS = 5  # between two looks
GONE = f"{WIREGUARD_INTERFACE} is gone while its unit holds it to be up"
# A unit that is stopped, begins or ends is somebody else's work: only one that is up is begun again.
KEEP = (
    f"ip link show dev {WIREGUARD_INTERFACE} >/dev/null 2>&1 || ! systemctl is-active --quiet {UNIT} "
    f"|| {{ echo '<4>{GONE}: it is made again'; systemctl try-restart {UNIT}; }}"
)


def component(view: View) -> Component:
    """wg0 with the peers whose public keys are known, and who makes it again when its daemon dies or it is deleted.

    The unit is restarted, never reloaded: its reload (`wg syncconf`) would erase the key that PostUp has set."""
    port = view.stack.network.wireguard_port
    near = peers(view)
    return Component(
        name="wireguard",
        packages=(Package(name="wireguard-tools"),),
        directories=(Directory(path="/etc/wireguard", mode=0o700),),
        files=(
            File(
                path=WIREGUARD_CONFIG,
                values={
                    "address": tunnel_address(view.stack, view.host_name),
                    "port": port,
                    "mtu": view.stack.network.mtu,
                    "private_key": WIREGUARD_PRIVATE_KEY,
                    "peers": [peer for peer in near if peer.public_key],
                },
                mode=0o600,
                guard=Guard.WIREGUARD,
            ),
            File(path=DROP_IN, values={"sandbox": rooted("CAP_NET_ADMIN")}),
            File(path=f"{UNITS}/{KEEPER}", values={"command": f'/bin/sh -c "{KEEP}"', "sandbox": rooted()}),
            File(path=f"{UNITS}/{KEEPER_TIMER}", values={"every_s": KEEPER_SECONDS}),
        ),
        units=(
            Unit(
                name=UNIT,
                watches=(WIREGUARD_CONFIG,),
                ready=("wg", "show", WIREGUARD_INTERFACE),
                exposure_max=EXPOSURE_MAX,
            ),
            Unit(name=KEEPER, enabled=False, active=False, exposure_max=EXPOSURE_MAX),
            Unit(name=KEEPER_TIMER),
        ),
        listens_on=(Listener(name="wireguard", port=port, place=Place.PUBLIC, protocol="udp"),),
        talks_to=_flows(view, near),
    )


def _flows(view: View, near: tuple[Peer, ...]) -> tuple[Flow, ...]:
    """Handshakes with each peer that can be called; from a brain, where the operator sits, ssh too."""
    listeners = ("wireguard", "ssh") if Role.BRAIN in view.host.roles else ("wireguard",)
    called = (view.stack.hosts[one.name] for one in near if not behind_nat(view.stack, one.name))
    roles = dict.fromkeys(role for host in called for role in host.roles)
    return tuple(Flow(role=role, listener=listener) for role in roles for listener in listeners)
