"""The analytics store on plain PostgreSQL: the history of what was collected and computed, for who asks by SQL.

The server is Debian's, its cluster and units are ours. Debian's package makes a cluster `main` as it is installed,
before a file of ours could forbid it: that one is never started, as its units are masked, and never removed, as a host
may have had one with data in it. The schema is in `migrations/analytics`: himari.apply.migrations applies it."""

from collections.abc import Mapping

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
    ScramVerifier,
    Unit,
    User,
    View,
)
from himari.catalog.hostpaths import (
    ANALYTICS_CERTIFICATE,
    CONFIG,
    POSTGRESQL_CONFIG,
    POSTGRESQL_DATA,
    POSTGRESQL_SOCKET,
    TLS,
    UNITS,
)
from himari.catalog.links import ASKING, links
from himari.catalog.sandbox import EXPOSURE_MAX, sandbox
from himari.stack.network import LOOPBACK, tunnel_address
from himari.stack.sizes import ANALYTICS_CONNECTIONS, MIB, analytics_sizes

PACKAGE = "postgresql-15"
PROGRAMS = "/usr/lib/postgresql/15/bin"
UNIT = "himari-postgresql.service"
ROLES_UNIT = "himari-postgresql-roles.service"
UPKEEP, UPKEEP_TIMER = "himari-postgresql-upkeep.service", "himari-postgresql-upkeep.timer"
UPKEEP_SECONDS = 300  # between two: the views are as old as that at most, and a refresh reads all that is held
LISTENER = "postgresql"
DATABASE = "himari_analytics"
VIEWS = ("ohlcv_5min", "ohlcv_1hour")  # that upkeep refreshes, in this order
KEEP = "keep_partitions"  # upkeep's other task
OWNER, WRITER, READER = "analytics-owner", "analytics-writer", "analytics-reader"
KEY = "analytics-key"
LOGINS = {"owner": OWNER, "writer": WRITER, "reader": READER}  # with the secrets that they log in by
# Who comes over the Unix socket is who the kernel says: a system user each, and no password.
PEERS = {"himari-upkeep": "upkeep", "himari-postgresql-exporter": "exporter"}
ACCOUNT = "postgres"  # the package's, and the only superuser
MAIN, HBA, IDENT, ROLES, UPKEEP_SCRIPT = (
    f"{POSTGRESQL_CONFIG}/{name}"
    for name in ("postgresql.conf", "pg_hba.conf", "pg_ident.conf", "roles.sql", "upkeep.sql")
)
INITDB = "/usr/local/lib/himari/postgresql-initdb"
LISTENERS = tuple(
    Listener(name=LISTENER, port=ports.POSTGRESQL, place=place, process="postgres")
    for place in (Place.LOOPBACK, Place.WIREGUARD)
)


def component(view: View) -> Component:
    """PostgreSQL on loopback and in the tunnel, with its logins and the timer that keeps partitions and views."""
    return Component(
        name="postgresql",
        packages=(Package(name=PACKAGE),),
        users=tuple(User(name=name) for name in PEERS),
        directories=tuple(Directory(path=path) for path in (CONFIG, TLS, POSTGRESQL_CONFIG, "/usr/local/lib/himari")),
        files=(*_configuration(view), *_units(view)),
        credentials=(Credential(name=KEY, secret=KEY),),
        units=(
            Unit(
                name=UNIT,
                watches=(MAIN, HBA, IDENT, ANALYTICS_CERTIFICATE, KEY),
                exposure_max=EXPOSURE_MAX,
            ),
            Unit(name=ROLES_UNIT, watches=(ROLES,), exposure_max=EXPOSURE_MAX),
            Unit(name=UPKEEP, watches=(UPKEEP_SCRIPT,), enabled=False, active=False, exposure_max=EXPOSURE_MAX),
            Unit(name=UPKEEP_TIMER),
        ),
        masked=("postgresql.service", "postgresql@15-main.service"),
        listens_on=LISTENERS,
        memory_mb=analytics_sizes(view.host).memory // MIB // 2,  # its buffers, and as much for its processes
    )


def readers(view: View) -> tuple[str, ...]:
    """The addresses in the tunnel of the hosts that talk to it."""
    graph = links(view, without=ASKING)
    callers = {name for listener in LISTENERS for name in graph.callers(view.host_name, listener)}
    return tuple(tunnel_address(view.stack, name) for name in view.stack.hosts if name in callers)


def _configuration(view: View) -> tuple[File, ...]:
    return (
        File(path=MAIN, values=_settings(view), check=(f"{PROGRAMS}/postgres", "-C", "port", "--config-file={}")),
        File(path=HBA, values={"database": DATABASE, "peers": PEERS, "logins": LOGINS, "readers": readers(view)}),
        File(path=IDENT, values={"peers": PEERS}),
        File(path=ROLES, values=_roles(), mode=0o640, group=ACCOUNT),
        File(path=UPKEEP_SCRIPT, values={"days": view.stack.retention.analytics_days, "views": VIEWS}),
        File(path=ANALYTICS_CERTIFICATE, values={"certificate": PublicFile("analytics.pem")}),
        File(path=INITDB, values=_places(), mode=0o755, check=("/bin/sh", "-n", "{}")),
    )


def _settings(view: View) -> Mapping[str, object]:
    return {
        "addresses": f"{LOOPBACK},{tunnel_address(view.stack, view.host_name)}",
        "port": ports.POSTGRESQL,
        "connections": ANALYTICS_CONNECTIONS,
        "sizes": analytics_sizes(view.host),
        "cpus": view.host.cpus or 1,
        "hba": HBA,
        "ident": IDENT,
        "certificate": ANALYTICS_CERTIFICATE,
        "key": f"/run/credentials/{UNIT}/{KEY}",
        **_places(),
    }


def _roles() -> Mapping[str, object]:
    verifiers = {name: ScramVerifier(secret) for name, secret in LOGINS.items()}
    return {"database": DATABASE, "peers": tuple(PEERS.values()), **verifiers}


def _places() -> Mapping[str, object]:
    return {"data": POSTGRESQL_DATA, "socket": POSTGRESQL_SOCKET, "programs": PROGRAMS}


def _units(view: View) -> tuple[File, ...]:
    reached = sandbox(("localhost", view.stack.network.wireguard))
    values = {**_places(), "account": ACCOUNT, "server": UNIT, "database": DATABASE, "sandbox": sandbox(())}
    server = {**values, "sandbox": reached, "credential": KEY, "initdb": INITDB, "config": MAIN}
    return (
        File(path=f"{UNITS}/{UNIT}", values={**server, "memory_max": analytics_sizes(view.host).memory}),
        File(path=f"{UNITS}/{ROLES_UNIT}", values={**values, "script": ROLES}),
        File(path=f"{UNITS}/{UPKEEP}", values={**values, "script": UPKEEP_SCRIPT, "users": PEERS}),
        File(path=f"{UNITS}/{UPKEEP_TIMER}", values={"every_s": UPKEEP_SECONDS}),
    )
