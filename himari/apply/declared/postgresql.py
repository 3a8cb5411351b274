"""The analytics store's schema: the migrations that it lacks, and a first upkeep once they are applied.

They come over ssh as the tables' owner, whom the host lets in over loopback alone; no superuser is reached that way."""

from himari.apply import migrations
from himari.apply.declared.services import Means, Report
from himari.catalog import ports
from himari.catalog.postgresql import DATABASE, KEEP, OWNER, VIEWS
from himari.stack.network import LOOPBACK
from himari.stack.paths import MIGRATIONS

SCHEMA = MIGRATIONS / "analytics"


def differences(means: Means, host: str) -> tuple[str, ...]:
    """The migrations that the store on `host` lacks. Raises HostError or DeployError."""
    return tuple(f"migration {name}: apply" for name in migrations.pending(_target(means, host), SCHEMA))


def apply(means: Means, host: str, report: Report) -> tuple[str, ...]:
    """Apply what is missing, and say which. Raises HostError or DeployError; what was applied before that stays."""
    target = _target(means, host)
    done = migrations.apply(target, SCHEMA, lambda says: report(host, says))
    with migrations.connected(target) as owner:
        kept = _kept(owner, means.stack.retention.analytics_days)
    return (*(f"migration {name}" for name in done), *kept)


def _target(means: Means, host: str) -> migrations.Target:
    door = means.visitor.door(host, LOOPBACK, ports.POSTGRESQL)
    return migrations.Target(
        host=door.address,
        port=door.port,
        user="owner",
        password=means.values.secret(OWNER),
        database=DATABASE,
        ca_file=means.visitor.ca_file,
        where=host,
    )


def _kept(owner: migrations.Connection, days: int) -> tuple[str, ...]:
    """What the host's timer does, the first time: rows that come before it have no partition of their day yet."""
    runs = owner.execute("SELECT task FROM upkeep_runs").fetchall()
    lacking = {KEEP, *VIEWS} - {task for (task,) in runs}
    if not lacking:
        return ()
    owner.execute("SELECT keep_partitions(make_interval(days => %s))", (days,))
    for view in VIEWS:
        owner.execute("SELECT refresh_view(%s)", (view,))
    return ("partitions and views",)
