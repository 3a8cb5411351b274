"""A lab's network: a bridge, a namespace and a cable per host, an address range that nobody else on the machine has."""

import ipaddress
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from himari.lab.identity import PREFIX, RUN, Lab, Record
from himari.lab.lock import Held
from himari.stack.errors import MachineError

SUBNETS = tuple(f"10.{second}.{third}.0/24" for second in range(200, 221) for third in range(256))
BRIDGE_BYTE, FIRST_HOST_BYTE, OUTSIDE_BYTE = 1, 10, 250
MTU = 1400  # room for one more tunnel on the machine's own way out
IP_FORWARD = Path("/proc/sys/net/ipv4/ip_forward")
NOTED_IP_FORWARD = RUN / "ip_forward"
NETNS = Path("/run/netns")


def machine_lock() -> Path:
    """Held while an address range is chosen or the machine's own settings are touched."""
    return RUN / "machine.lock"


def address(subnet: str, byte: int) -> str:
    """The address of a /24 that ends in `byte`."""
    return str(ipaddress.ip_network(subnet)[byte])


def addresses(record: Record) -> dict[str, str]:
    """The address of each host of a lab."""
    return {name: address(record.subnet, byte) for name, byte in record.hosts.items()}


def choose_subnet(taken: Iterable[str], preferred: str = "") -> str:
    """`preferred` if free, else the first free /24. `taken` are CIDRs in use. Raises MachineError when none is left."""
    used = [ipaddress.ip_network(cidr, strict=False) for cidr in taken]
    for candidate in (preferred, *SUBNETS) if preferred else SUBNETS:
        network = ipaddress.ip_network(candidate)
        if not any(network.version == other.version and network.overlaps(other) for other in used):
            return candidate
    raise MachineError(
        what="no address range is free for another lab",
        where=f"{SUBNETS[0]} to {SUBNETS[-1]}",
        expected="one /24 that no route and no lab uses",
        hint="`himari lab ls` shows the labs of this machine; destroy one",
    )


def number_hosts(names: Iterable[str], known: Mapping[str, int]) -> dict[str, int]:
    """The last byte of each host's address: those that have one keep it, new ones get the lowest free."""
    names = tuple(names)
    kept = {name: known[name] for name in names if name in known}
    free = iter(byte for byte in range(FIRST_HOST_BYTE, OUTSIDE_BYTE) if byte not in kept.values())
    return {name: kept[name] if name in kept else next(free) for name in names}


def routed(held: Held) -> tuple[str, ...]:
    """The destinations of all the machine's IPv4 routes but the default one, as CIDRs."""
    routes = msgspec.json.decode(held.run(("ip", "-j", "-4", "route", "show", "table", "all")) or "[]")
    return tuple(route["dst"] for route in routes if route["dst"] != "default")


def links(prefix: str) -> frozenset[str]:
    """The machine's interfaces whose names start with `prefix`."""
    return frozenset(path.name for path in Path("/sys/class/net").iterdir() if path.name.startswith(prefix))


def namespaces(prefix: str) -> frozenset[str]:
    """The named network namespaces whose names start with `prefix`."""
    return frozenset(path.name for path in NETNS.glob(f"{prefix}*"))


def make_bridge(held: Held, lab: Lab, subnet: str) -> None:
    """The bridge with the lab's own address, its way out, and the neighbour that is no host; what is there stays."""
    if lab.bridge not in links(lab.id):
        held.run(("ip", "-batch", "-"), bridge_commands(lab, subnet))
    held.run(("nft", "-f", "-"), ruleset(lab, subnet))
    if lab.outside not in namespaces(lab.id) or lab.link(OUTSIDE_BYTE) not in links(lab.id):
        plug(held, lab, lab.outside, subnet, OUTSIDE_BYTE)


def plug(held: Held, lab: Lab, namespace: str, subnet: str, byte: int) -> None:
    """Make `namespace` anew, with a cable to the bridge and the address that ends in `byte`."""
    unplug(held, lab, namespace, byte)
    held.run(("ip", "-batch", "-"), cable_commands(lab, namespace, byte))
    held.run(("ip", "-n", namespace, "-batch", "-"), inside_commands(subnet, byte))


def unplug(held: Held, lab: Lab, namespace: str, byte: int) -> None:
    """Remove `namespace` and its cable, where they are."""
    if lab.link(byte) in links(lab.id):
        held.run(("ip", "link", "del", lab.link(byte)))
    if namespace in namespaces(lab.id):
        held.run(("ip", "netns", "del", namespace))


def hardware_address(lab: Lab, byte: int) -> str:
    """The same at each boot: neighbours that remember it would otherwise talk past a rebooted host for seconds."""
    identity = lab.id.removeprefix(PREFIX)
    return f"02:{identity[0:2]}:{identity[2:4]}:{identity[4:6]}:00:{byte:02x}"


def bridge_commands(lab: Lab, subnet: str) -> str:
    """For `ip -batch`: the bridge, up only once it has all it needs."""
    return (
        f"link add {lab.bridge} mtu {MTU} type bridge forward_delay 0 stp_state 0\n"
        f"address add {address(subnet, BRIDGE_BYTE)}/24 dev {lab.bridge}\n"
        f"link set {lab.bridge} up\n"
    )


def cable_commands(lab: Lab, namespace: str, byte: int) -> str:
    """For `ip -batch`: a namespace whose eth0 is plugged into the bridge."""
    link = lab.link(byte)
    return (
        f"netns add {namespace}\n"
        f"link add {link} mtu {MTU} type veth"
        f" peer name eth0 address {hardware_address(lab, byte)} mtu {MTU} netns {namespace}\n"
        f"link set {link} master {lab.bridge} up\n"
    )


def inside_commands(subnet: str, byte: int) -> str:
    """For `ip -n NAMESPACE -batch`: the address and the way out."""
    return (
        "link set lo up\n"
        f"address add {address(subnet, byte)}/24 dev eth0\n"
        "link set eth0 up\n"
        f"route add default via {address(subnet, BRIDGE_BYTE)}\n"
    )


def ruleset(lab: Lab, subnet: str) -> str:
    """For `nft -f`: replaces the lab's table in one transaction."""
    return f"""table inet {lab.id} {{}}
delete table inet {lab.id}
table inet {lab.id} {{
  chain out {{
    type nat hook postrouting priority srcnat;
    ip saddr {subnet} ip daddr != {subnet} masquerade
  }}
  chain mss {{
    type filter hook forward priority mangle;
    ip saddr {subnet} tcp flags syn tcp option maxseg size set rt mtu
    ip daddr {subnet} tcp flags syn tcp option maxseg size set rt mtu
  }}
}}
"""


def forward() -> None:
    """Let the machine forward packets, noting first what it did before. Call it under the machine's lock."""
    before = IP_FORWARD.read_text().strip()
    if before == "0":
        if not NOTED_IP_FORWARD.exists():
            draft = NOTED_IP_FORWARD.with_suffix(".tmp")
            draft.write_text(before)
            draft.replace(NOTED_IP_FORWARD)
        IP_FORWARD.write_text("1")


def stop_forwarding() -> None:
    """Put the noted setting back once no lab's bridge is left. Call it under the machine's lock."""
    if any(name.endswith("-br") for name in links(PREFIX)) or not NOTED_IP_FORWARD.exists():
        return
    IP_FORWARD.write_text(NOTED_IP_FORWARD.read_text())
    NOTED_IP_FORWARD.unlink()
