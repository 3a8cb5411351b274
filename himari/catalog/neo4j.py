"""The graph of causes: Neo4j Community, over TLS only.

Community has no roles: whoever logs in may read, write, and change any user. So each service has a user of its own,
whose password can be changed alone; who gets to the port at all is the firewall's matter, from who talks to whom."""

from collections.abc import Mapping

import msgspec

from himari.catalog import ports
from himari.catalog.component import (
    Component,
    Credential,
    Directory,
    File,
    Listener,
    Package,
    Place,
    PublicFile,
    SecretHash,
    Tree,
    Unit,
    User,
    View,
)
from himari.catalog.hostpaths import (
    CA_CERTIFICATE,
    CONFIG,
    GRAPH_CERTIFICATE,
    NEO4J,
    NEO4J_CONFIG,
    NEO4J_STATE,
    TLS,
    UNITS,
    VENVS,
)
from himari.catalog.sandbox import EXPOSURE_MAX, sandbox
from himari.stack.network import LOOPBACK, tunnel_address
from himari.stack.sizes import GRAPH_BESIDE, MIB, graph_sizes

UNIT = "himari-neo4j.service"
USER = "himari-neo4j"
LISTENER = "neo4j"
KEY = "graph-key"
SETTINGS = f"{NEO4J_CONFIG}/neo4j.conf"
USER_LOG, SERVER_LOG = f"{NEO4J_CONFIG}/user-logs.xml", f"{NEO4J_CONFIG}/server-logs.xml"
FIRST_USER = f"{NEO4J_STATE}/data/dbms/auth.ini"  # where a server without users looks for its first one
ANSWERS = "/usr/local/lib/himari/neo4j-answers"
TREE = Tree(name="neo4j", lock="neo4j.maven", link=NEO4J)
READY_SECONDS = 180  # 4 to 6 s on an idle machine, and a minute on one that starts everything at once


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """A user of the graph, and the secret that is its password."""

    name: str
    secret: str


ADMIN = Login(name="neo4j", secret="graph-admin")  # noqa: S106  a secret's name
FIRST = Login(name="neo4j", secret="graph-first")  # noqa: S106  it logs in once, to set the other one
WRITER = Login(name="writer", secret="graph-writer")  # noqa: S106
READER = Login(name="reader", secret="graph-reader")  # noqa: S106
SERVICES = (WRITER, READER)


def component(view: View) -> Component:
    """Neo4j on loopback and in the tunnel, from jars that are put as one tree."""
    sizes = graph_sizes(view.host)
    return Component(
        name="neo4j",
        packages=(Package(name="openjdk-17-jre-headless"),),
        users=(User(name=USER),),
        directories=(
            *(Directory(path=path) for path in (CONFIG, TLS, VENVS, "/usr/local/lib/himari")),
            Directory(path=NEO4J_CONFIG, mode=0o750, group=USER),
            *(
                Directory(path=f"{NEO4J_STATE}{below}", mode=0o750, owner=USER, group=USER)
                for below in ("", "/data", "/data/dbms")
            ),
        ),
        files=_files(view),
        trees=(TREE,),
        credentials=(Credential(name=KEY, secret=KEY),),
        secrets=tuple(login.secret for login in (ADMIN, *SERVICES)),
        units=(
            Unit(
                name=UNIT,
                watches=(SETTINGS, USER_LOG, SERVER_LOG, GRAPH_CERTIFICATE, TREE.name, KEY),
                ready=(ANSWERS,),
                ready_seconds=READY_SECONDS,
                exposure_max=EXPOSURE_MAX,
            ),
        ),
        listens_on=tuple(
            Listener(name=LISTENER, port=ports.NEO4J, place=place, process="java")
            for place in (Place.LOOPBACK, Place.WIREGUARD)
        ),
        memory_mb=(sizes.heap_bytes + sizes.page_cache_bytes + GRAPH_BESIDE) // MIB,
    )


def _files(view: View) -> tuple[File, ...]:
    # One round without salt: it guards 256 random bits, and is good for one login.
    first = {"name": FIRST.name, "hash": SecretHash(FIRST.secret)}
    return (
        File(path=SETTINGS, values=_settings(view), mode=0o640, group=USER),
        File(path=USER_LOG, mode=0o640, group=USER),
        File(path=SERVER_LOG, mode=0o640, group=USER),
        File(path=FIRST_USER, values=first, mode=0o600, owner=USER, group=USER),
        File(path=GRAPH_CERTIFICATE, values={"certificate": PublicFile("graph.pem")}),
        File(path=ANSWERS, values={"address": LOOPBACK, "port": ports.NEO4J, "ca": CA_CERTIFICATE}, mode=0o755),
        File(path=f"{UNITS}/{UNIT}", values=_unit(view)),
    )


def _settings(view: View) -> Mapping[str, object]:
    sizes = graph_sizes(view.host)
    return {
        "loopback": LOOPBACK,
        "address": tunnel_address(view.stack, view.host_name),
        "port": ports.NEO4J,
        "config": NEO4J_CONFIG,
        "state": NEO4J_STATE,
        "tls": TLS,
        "certificate": GRAPH_CERTIFICATE,
        "key": f"/run/credentials/{UNIT}/{KEY}",
        "heap_mib": sizes.heap_bytes // MIB,
        "page_cache_mib": sizes.page_cache_bytes // MIB,
    }


def _unit(view: View) -> Mapping[str, object]:
    sizes = graph_sizes(view.host)
    return {
        "user": USER,
        "jars": NEO4J,
        "config": NEO4J_CONFIG,
        "state": NEO4J_STATE,
        "heap_mib": sizes.heap_bytes // MIB,
        "memory_max": sizes.memory_max_bytes,
        "credential": KEY,
        "sandbox": sandbox(("localhost", view.stack.network.wireguard), compiles=True),
    }
