"""The analytics store, as its own users meet it with a real client, and as those who are not its users do."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from himari.apply.migrations import known
from himari.catalog.ports import POSTGRESQL
from himari.catalog.postgresql import ACCOUNT, DATABASE, KEEP, LISTENER, LOGINS, UNIT, UPKEEP, UPKEEP_SECONDS, VIEWS
from himari.proof import readings
from himari.proof.certificates import SSL_REQUEST, served
from himari.proof.checks import Case, Observed, check, found
from himari.proof.probe import Probe
from himari.proof.subject import Subject
from himari.stack.network import LOOPBACK, tunnel_address
from himari.stack.paths import MIGRATIONS
from himari.stack.sizes import MIB, analytics_sizes

SECONDS = 5
RENEWED_BEFORE_DAYS = 14
PARTITIONED = ("market_data", "top_of_book", "features")
TABLES = (*PARTITIONED, "data_gaps", "dead_letters")
INDEXES = {"idx_market_symbol_time", "idx_market_exchange_time", "idx_market_quality"}
OHLCV = {"bucket", "symbol", "exchange", "open", "high", "low", "close", "volume", "trade_count", "avg_quality"}
LATE_S = 2 * UPKEEP_SECONDS + 60  # an upkeep that was missed, and the time of one
# A row that is taken back at once.
PROBE: LiteralString = (
    "INSERT INTO market_data (time, exchange, symbol, kind, event_id, price, volume, quality_score)"
    " VALUES (now(), '_', '_/_', 'probe', %(id)s, %(price)s, %(volume)s, %(score)s)"
)
GOOD: dict[str, Any] = {"id": "probe", "price": 1, "volume": 1, "score": 1}
Connection = psycopg.Connection[tuple[Any, ...]]


@contextmanager
def client(subject: Subject, host: str, user: str, password: str, sslmode: str = "verify-full") -> Iterator[Connection]:
    """The service, as somebody who trusts the stack's CA meets it; what is written within is taken back."""
    door = subject.visitor.door(host, LOOPBACK, POSTGRESQL)
    with psycopg.connect(
        host=door.address,
        port=door.port,
        user=user,
        password=password,
        dbname=DATABASE,
        sslmode=sslmode,
        sslrootcert=str(subject.visitor.ca_file),
        connect_timeout=SECONDS,
    ) as met:
        yield met
        met.rollback()


@contextmanager
def as_user(subject: Subject, host: str, name: str) -> Iterator[Connection]:
    with client(subject, host, name, subject.visitor.password(LOGINS[name])) as met:
        yield met


def rows(subject: Subject, host: str, query: LiteralString, *given: object) -> list[dict[str, Any]]:
    """What the reader is answered."""
    with as_user(subject, host, "reader") as reader, reader.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, given).fetchall()


def refusal(met: Connection, query: LiteralString, given: dict[str, Any] | None = None) -> str:
    """The class of the error by which it refuses `query`; empty when it does it. Nothing of it stays."""
    try:
        with met.transaction(force_rollback=True):
            met.execute(query, given)
    except psycopg.Error as error:
        return type(error).__name__
    return ""


def turned_away(subject: Subject, host: str, user: str, password: str, sslmode: str = "verify-full") -> str:
    """What it says to somebody whom it does not let in; empty when it does."""
    try:
        with client(subject, host, user, password, sslmode):
            return ""
    except psycopg.OperationalError as error:
        return str(error).strip().splitlines()[-1]


@check(
    "postgresql.answers",
    "PostgreSQL 15 answers its reader over TLS",
    replaces="part V: TimescaleDB installed; part X: PostgreSQL connection",
)
def test_answers(case: Case, observed: Observed, subject: Subject) -> None:
    (said,) = rows(
        subject,
        case.host,
        "SELECT current_setting('server_version') AS version, tls.version AS tls FROM pg_stat_ssl AS tls"
        " WHERE pid = pg_backend_pid()",
    )
    observed(f"{said['version']}, {said['tls']}")
    assert said["version"].startswith("15.")
    assert said["tls"] in ("TLSv1.2", "TLSv1.3")


@check("postgresql.certificate", "it shows a certificate of the stack's CA, for its address, that is renewed in time")
def test_certificate(case: Case, observed: Observed, subject: Subject) -> None:
    door = subject.visitor.door(case.host, LOOPBACK, POSTGRESQL)
    shown = observed(served(door.address, door.port, subject.visitor.ca_file, opening=SSL_REQUEST))
    assert shown.days_left > RENEWED_BEFORE_DAYS, f"`himari up {subject.stack.name}` renews it"


@check("postgresql.tls-only", "without TLS nobody is let in", replaces="part IX: TLS between hosts")
def test_tls_only(case: Case, observed: Observed, subject: Subject) -> None:
    password = subject.visitor.password(LOGINS["reader"])
    said = observed(turned_away(subject, case.host, "reader", password, "disable"))
    assert "no encryption" in said, said or "it lets the reader in in the clear"


@check("postgresql.strangers", "nobody is let in with a wrong password, as the superuser or as one of the host's users")
def test_strangers(case: Case, observed: Observed, subject: Subject) -> None:
    said = [turned_away(subject, case.host, user, "wrong") for user in ("reader", ACCOUNT, "upkeep", "exporter")]
    observed(said)
    assert "password authentication failed" in said[0], said[0]
    assert all("no pg_hba.conf entry" in one for one in said[1:]), said


@check("postgresql.writer", "the writer stores an event once, and takes nothing away")
def test_writer(case: Case, observed: Observed, subject: Subject) -> None:
    with as_user(subject, case.host, "writer") as writer:
        stored = [writer.execute(PROBE + " ON CONFLICT DO NOTHING", GOOD).rowcount for _ in range(2)]
        again = refusal(writer, PROBE, GOOD)
        refused = [
            refusal(writer, query)
            for query in ("DELETE FROM market_data", "DROP TABLE market_data", "CREATE TABLE other (a int)")
        ]
    observed([f"{stored[0]} row, then {stored[1]}", again, *refused])
    assert stored == [1, 0]
    assert again == "UniqueViolation"
    assert set(refused) == {"InsufficientPrivilege"}


@check("postgresql.reader", "the reader reads every table and view, and changes nothing")
def test_reader(case: Case, observed: Observed, subject: Subject) -> None:
    with as_user(subject, case.host, "reader") as reader:
        for name in (*TABLES, *VIEWS):
            reader.execute(sql.SQL("SELECT * FROM {} LIMIT 1").format(sql.Identifier(name)))
        refused = [
            refusal(reader, PROBE, GOOD),
            refusal(reader, "DELETE FROM market_data"),
            refusal(reader, "CREATE TEMPORARY TABLE other (a int)"),
            refusal(reader, "SELECT rolpassword FROM pg_authid"),
        ]
    assert set(observed(refused)) == {"InsufficientPrivilege"}


@check(
    "postgresql.constraints",
    "a price of 0, NaN or infinity, a negative volume, a score beyond 0 to 1 and a missing id are refused",
    replaces="part V: valid_price, valid_score",
)
def test_constraints(case: Case, observed: Observed, subject: Subject) -> None:
    wrong: list[dict[str, Any]] = [
        {"price": 0},
        {"price": "NaN"},
        {"price": "Infinity"},
        {"volume": -1},
        {"score": 1.1},
        {"score": "NaN"},
    ]
    with as_user(subject, case.host, "writer") as writer:
        said = [refusal(writer, PROBE, GOOD | one) for one in wrong]
        missing = refusal(writer, PROBE, GOOD | {"id": None})
    observed([*said, missing])
    assert set(said) == {"CheckViolation"}
    assert missing == "NotNullViolation"


@check("postgresql.migrations", "all migrations of these files are recorded, and no others")
def test_migrations(case: Case, observed: Observed, subject: Subject) -> None:
    applied = {row["migration_id"] for row in rows(subject, case.host, "SELECT migration_id FROM _yoyo_migration")}
    observed(applied)
    assert applied == set(known(MIGRATIONS / "analytics")), f"`himari up {subject.stack.name}` applies what is missing"


@check(
    "postgresql.partitions",
    "today and the two days after it have their partitions",
    replaces="part V: hypertable, chunk_time_interval 1 day",
)
def test_partitions(case: Case, observed: Observed, subject: Subject) -> None:
    query = "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = ANY(%s::regclass[])"
    held = {row["name"] for row in rows(subject, case.host, query, list(PARTITIONED))}
    observed(f"{len(held)} partitions")
    days = [datetime.now(UTC) + timedelta(days=ahead) for ahead in range(3)]
    missing = [name for table in PARTITIONED for day in days if (name := f"{table}_{day:%Y%m%d}") not in held]
    assert not missing, f"missing: {', '.join(missing)}: `journalctl -u {UPKEEP}` on {case.host} tells why"


@check("postgresql.retention", "nothing is held beyond its time", replaces="part V: retention policy")
def test_retention(case: Case, observed: Observed, subject: Subject) -> None:
    days = case.view.stack.retention.analytics_days
    (said,) = rows(subject, case.host, "SELECT min(time) AS oldest, now() AS now FROM market_data")
    observed(f"oldest {said['oldest'] or 'none'}, {days} days are held")
    assert not said["oldest"] or said["now"] - said["oldest"] < timedelta(days=days + 2)


@check("postgresql.upkeep", "partitions and views were kept lately", replaces="part V: continuous aggregate policies")
def test_upkeep(case: Case, observed: Observed, subject: Subject) -> None:
    query = "SELECT task, extract(epoch FROM now() - finished)::float AS age FROM upkeep_runs"
    ages = {row["task"]: row["age"] for row in rows(subject, case.host, query)}
    observed([f"{task} {age:.0f} s ago" for task, age in sorted(ages.items())])
    assert set(ages) == {KEEP, *VIEWS}
    assert max(ages.values()) < LATE_S, f"`journalctl -u {UPKEEP}` on {case.host} tells why"


@check(
    "postgresql.views",
    "the views have their columns, and fit the trades that they were made of",
    replaces="part V: ohlcv_5min, ohlcv_1hour; part X: test_timescaledb_aggregates",
)
def test_views(case: Case, observed: Observed, subject: Subject) -> None:
    held = {}
    with as_user(subject, case.host, "reader") as reader:
        for view in VIEWS:
            query = sql.SQL("SELECT * FROM {} ORDER BY bucket DESC LIMIT 100").format(sql.Identifier(view))
            cursor = reader.cursor(row_factory=dict_row)
            held[view] = cursor.execute(query).fetchall()
            names = {column.name for column in cursor.description or ()}
            extra = {"price_stddev", "price_range"} if view == "ohlcv_5min" else set()
            assert names == OHLCV | extra
    observed(f"{len(held['ohlcv_5min'])} of 5 minutes, {len(held['ohlcv_1hour'])} of an hour")
    for bar in (bar for bars in held.values() for bar in bars):
        assert bar["low"] <= bar["open"] <= bar["high"]
        assert bar["low"] <= bar["close"] <= bar["high"]


@check("postgresql.indexes", "market_data has its three indexes", replaces="part V: idx_market_*")
def test_indexes(case: Case, observed: Observed, subject: Subject) -> None:
    held = {row["name"] for row in rows(subject, case.host, "SELECT indexname AS name FROM pg_indexes")}
    assert observed(held & INDEXES) == INDEXES


@check("postgresql.settings", "it runs with what its file says: its memory, its log, its checksums, its encryption")
def test_settings(case: Case, observed: Observed, subject: Subject) -> None:
    sizes = analytics_sizes(case.view.host)
    wanted = {
        "shared_buffers": str(sizes.buffers // 8192),
        "work_mem": str(sizes.work // 1024),
        "max_wal_size": str(sizes.wal_most // MIB),
        "data_checksums": "on",
        "fsync": "on",
        "synchronous_commit": "on",
        "password_encryption": "scram-sha-256",
        "ssl": "on",
        "server_encoding": "UTF8",
        "lc_collate": "C.UTF-8",
    }
    query = "SELECT name, setting, pending_restart FROM pg_settings WHERE name = ANY(%s)"
    held = {row["name"]: row["setting"] for row in rows(subject, case.host, query, list(wanted))}
    observed([f"{name} {value}" for name, value in sorted(held.items())])
    assert held == wanted


@check("postgresql.bind", "it is bound to loopback and the tunnel only")
def test_bind(case: Case, probe: Probe, observed: Observed, subject: Subject) -> None:
    bound = {one.address for one in probe.sockets if one.port == POSTGRESQL and one.protocol == "tcp"}
    assert observed(bound), f"nothing listens as {LISTENER}"
    assert bound == {LOOPBACK, tunnel_address(subject.stack, case.host)}


@check("postgresql.memory_max", "systemd stops it before the host runs out of memory")
def test_memory_limit(case: Case, probe: Probe, observed: Observed) -> None:
    limit = observed(probe.unit(UNIT).get("MemoryMax", ""))
    assert limit.isdigit(), "no limit"
    assert int(limit) > analytics_sizes(case.view.host).buffers


@check("postgresql.no-core", "no core file holds what it knows")
def test_no_core(probe: Probe, observed: Observed) -> None:
    limits = readings.limits(found(probe.process(UNIT), "it has no process").limits)
    assert observed(limits["Max core file size"]) == 0
