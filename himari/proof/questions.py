"""What each host is asked: all that follows from its components, and what the checks in `validation/` read besides."""

from collections.abc import Iterable, Iterator, Sequence

from himari.catalog.component import Artifact, Component, Feed, View
from himari.catalog.hostpaths import CREDENTIALS, CUTOVER, STORES_SETTINGS, WIREGUARD_PRIVATE_KEY
from himari.catalog.irq import REFUSED as IRQ_REFUSED
from himari.catalog.kernel import UNUSED_MODULES
from himari.catalog.mesh import peers
from himari.catalog.ports import REDIS
from himari.catalog.redis_buffer import OPERATOR
from himari.catalog.repositories import all_files
from himari.proof.crossings import Crossing
from himari.proof.placement import Placed
from himari.proof.question import BufferQuestion, Peer, Question
from himari.proof.sysctls import SYSCTLS
from himari.stack.known import Known
from himari.stack.model import Role, Stack
from himari.stack.network import tunnel_address

TEXTS = (
    "/proc/cmdline",
    "/proc/swaps",
    "/proc/meminfo",
    "/proc/uptime",
    "/proc/sys/kernel/random/boot_id",
    "/sys/kernel/mm/transparent_hugepage/enabled",
    "/sys/kernel/mm/transparent_hugepage/defrag",
    "/sys/devices/system/cpu/online",
    "/sys/devices/system/cpu/isolated",
    "/run/systemd/container",
    "/var/run/reboot-required",
    IRQ_REFUSED,
    CUTOVER,
    STORES_SETTINGS,
)
HASHES = ("/etc/shadow", "/etc/gshadow")
REDIS_SETTINGS = (
    "maxmemory",
    "maxmemory-policy",
    "appendonly",
    "appendfsync",
    "aof-use-rdb-preamble",
    "bind",
    "protected-mode",
    "aclfile",
    "disable-thp",
    "server_cpulist",
    "bio_cpulist",
    "aof_rewrite_cpulist",
    "bgsave_cpulist",
    "maxclients",
)
REDIS_USERS = ("default", "pusher", "reader", "operator", "exporter")


def streams(stack: Stack, feed: Feed) -> tuple[str, ...]:
    """The buffer's streams, as the collector names them, of the symbols that `feed` can bring."""
    return tuple(
        stream
        for venue, said in stack.venues.items()
        for stream in (
            *(f"md:{venue}:{symbol}:{kind}" for symbol in feed.brings(said.symbols) for kind in ("trades", "book")),
            f"md:{venue}:_:meta",
        )
    )


def question(
    stack: Stack, known: Known, feed: Feed, host: str, *, placed: Iterable[Placed], crossings: Sequence[Crossing]
) -> Question:
    """The one question for `host`."""
    components = [one.component for one in placed if one.host == host]
    paths = {file.path for component in components for file in all_files(component)}
    paths |= {folder.path for component in components for folder in component.directories}
    paths |= {path for one in components for artifact in one.artifacts for path in _installed(artifact)}
    paths |= {WIREGUARD_PRIVATE_KEY}
    paths |= {f"{CREDENTIALS}/{credential.name}" for component in components for credential in component.credentials}
    units = {unit.name for component in components for unit in component.units}
    units |= {name for component in components for name in component.masked}
    bounded = {unit.name for component in components for unit in component.units if unit.exposure_max is not None}
    return Question(
        units=tuple(sorted(units)),
        bounded=tuple(sorted(bounded)),
        metrics=tuple(sorted(metrics_places(stack, host, components))),
        files=(*HASHES, *sorted(paths)),
        unused_modules=UNUSED_MODULES,
        texts=(*TEXTS, *("/proc/sys/" + one.name.replace(".", "/") for one in SYSCTLS)),
        peers=tuple(
            Peer(address=peer.address, mtu=stack.network.mtu)
            for peer in peers(View(stack=stack, host_name=host, known=known, feed=feed))
        ),
        attempts=tuple(one.attempt for one in crossings if one.source == host),
        buffer=buffer_question(stack, feed) if Role.EDGE in stack.hosts[host].roles else None,
        trees=tuple(sorted({tree.link for component in components for tree in component.trees})),
    )


def _installed(artifact: Artifact) -> tuple[str, str]:
    return artifact.venv, f"{artifact.venv}/bin/{artifact.name}"


def metrics_places(stack: Stack, host: str, components: Iterable[Component]) -> Iterator[str]:
    """Where the host's services show their metrics: on the tunnel's address."""
    for component in components:
        for listener in component.listens_on:
            if listener.name.endswith("-metrics"):
                yield f"{tunnel_address(stack, host)}:{listener.port}"


def buffer_question(stack: Stack, feed: Feed) -> BufferQuestion:
    """What the edge's Redis is asked as the operator's user."""
    return BufferQuestion(
        port=REDIS,
        user="operator",
        credential=OPERATOR,
        config=REDIS_SETTINGS,
        users=REDIS_USERS,
        streams=streams(stack, feed),
    )
