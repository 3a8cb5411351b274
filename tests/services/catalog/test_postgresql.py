"""The analytics store, as a real PostgreSQL takes its files: logins over TLS, the schema, what it keeps and drops."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, LiteralString

import msgspec
import psycopg
import pytest
from psycopg import errors, sql

from himari.apply import migrations
from himari.catalog import postgresql
from himari.proof.certificates import SSL_REQUEST, served
from himari.stack.errors import DeployError
from himari.stack.paths import MIGRATIONS, StateDir
from himari.vault.scram import verifier
from tests.services.postgresql import ACCOUNT, Connection, Store, folder_for_all, fresh
from tests.unit.catalog.conftest import shipped

SCHEMA = MIGRATIONS / "analytics"
NOW = datetime.now(UTC).replace(microsecond=0)
ROW = (
    "INSERT INTO market_data (time, exchange, symbol, kind, event_id, price, volume, quality_score) VALUES"
    " (%(time)s, 'binance', %(symbol)s, 'trade', %(id)s, %(price)s, %(volume)s, %(score)s) ON CONFLICT DO NOTHING"
)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One without a schema."""
    with fresh(StateDir(tmp_path_factory.mktemp("bare"))) as store:
        yield store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One with its schema."""
    with fresh(StateDir(tmp_path_factory.mktemp("lab"))) as store:
        migrations.apply(store.target(), SCHEMA)
        yield store


@pytest.fixture
def writer(store: Store) -> Iterator[Connection]:
    with store.met("writer") as connection:
        yield connection


@pytest.fixture
def reader(store: Store) -> Iterator[Connection]:
    with store.met("reader") as connection:
        yield connection


def row(number: int, **other: object) -> Mapping[str, object]:
    return {"time": NOW, "symbol": "BTC/USDT", "id": str(number), "price": 1, "volume": 1, "score": 1, **other}


def one(connection: Connection, query: LiteralString, *given: object) -> Any:
    found = connection.execute(query, given).fetchone()
    assert found is not None
    return found[0] if len(found) == 1 else found


def test_what_is_there_is_left_alone(bare: Store) -> None:
    state = bare.folder / "state"

    def held() -> dict[str, int]:
        return {str(path): path.stat().st_ino for one in (state, state / "15") for path in one.iterdir()}

    before = held()
    bare.make()
    bare.roles()
    assert held() == before


def test_one_that_was_cut_off_is_made_anew(tmp_path: Path) -> None:
    with folder_for_all() as folder:
        store = Store(folder, StateDir(tmp_path))
        draft = folder / "state" / "15.new"
        draft.mkdir()
        (draft / "PG_VERSION").write_text("15\n")
        shutil.chown(draft, ACCOUNT, ACCOUNT)
        store.make()
        assert [path.name for path in (folder / "state").iterdir()] == ["15"]
        assert (folder / "state" / "15" / "global" / "pg_control").stat().st_size == 8192


def test_it_runs_with_the_settings_that_its_file_gives(store: Store, reader: Connection) -> None:
    held = {name: one(reader, "SELECT current_setting(%s)", name) for name in ("ssl", "jit", "data_checksums")}
    assert held == {"ssl": "on", "jit": "off", "data_checksums": "on"}
    assert one(reader, "SELECT datcollate FROM pg_database WHERE datname = current_database()") == "C.UTF-8"
    assert (
        one(reader, "SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = current_database()")
        == "UTF8"
    )
    assert one(reader, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()") is True


def test_its_checker_takes_the_settings_and_refuses_others(store: Store, tmp_path: Path) -> None:
    (check,) = (one.check for one in postgresql.component(shipped("lab", "core")).files if one.path == postgresql.MAIN)
    candidate = tmp_path / "postgresql.conf"
    for text, good in ((store.files[postgresql.MAIN], True), ("shared_buffer = 1GB\n", False)):
        candidate.write_text(text)
        argv = [word.replace("{}", str(candidate)) for word in check]
        assert (subprocess.run(argv, capture_output=True, check=False).returncode == 0) is good


def test_migrations_are_applied_once_in_order_and_recorded(bare: Store) -> None:
    wanted = sorted(path.stem for path in SCHEMA.glob("*.sql"))
    assert migrations.pending(bare.target(), SCHEMA) == tuple(wanted)
    assert migrations.apply(bare.target(), SCHEMA) == tuple(wanted)
    assert migrations.pending(bare.target(), SCHEMA) == migrations.apply(bare.target(), SCHEMA) == ()
    with bare.met("reader") as reader:
        recorded = reader.execute("SELECT migration_id FROM _yoyo_migration ORDER BY applied_at_utc, migration_id")
        assert [name for (name,) in recorded] == wanted


def test_a_migration_that_fails_leaves_the_schema_as_it_was(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "analytics"
    shutil.copytree(SCHEMA, folder)
    (folder / "9001.first.sql").write_text("CREATE TABLE first (a int);")
    (folder / "9002.half.sql").write_text("CREATE TABLE half (a int);\nCREATE TABLE half (a int);")
    (folder / "9003.last.sql").write_text("CREATE TABLE last (a int);")
    with pytest.raises(DeployError, match=r"9002\.half") as error:
        migrations.apply(store.target(), folder)
    assert 'relation "half" already exists' in str(error.value)
    assert migrations.pending(store.target(), folder) == ("9002.half", "9003.last")
    with store.met("owner") as owner:
        assert one(owner, "SELECT to_regclass('first'), to_regclass('half'), to_regclass('last')")[1:] == (None, None)
        owner.execute("DROP TABLE first")
        owner.execute("DELETE FROM _yoyo_migration WHERE migration_id = '9001.first'")


def test_a_migration_that_cannot_be_recorded_is_not_applied(bare: Store, tmp_path: Path) -> None:
    (tmp_path / "0001.unrecorded.sql").write_text(
        "CREATE TABLE unrecorded (a int);"
        "ALTER TABLE _yoyo_migration ADD CONSTRAINT no_more CHECK (migration_id <> '0001.unrecorded');"
    )
    with pytest.raises(DeployError, match="no_more"):
        migrations.apply(bare.target(), tmp_path)
    assert migrations.pending(bare.target(), tmp_path) == ("0001.unrecorded",)
    with bare.met("owner") as owner:
        assert one(owner, "SELECT to_regclass('unrecorded') IS NULL") is True


def test_a_run_that_was_killed_keeps_nobody_out(bare: Store, tmp_path: Path) -> None:
    with bare.met("owner") as owner:
        owner.execute("INSERT INTO yoyo_lock (locked, ctime, pid) VALUES (1, now(), 1)")
    (tmp_path / "0001.next.sql").write_text("CREATE TABLE next (a int);")
    assert migrations.apply(bare.target(), tmp_path) == ("0001.next",)


def test_a_stranger_is_told_so(store: Store) -> None:
    with pytest.raises(DeployError, match="password"):
        migrations.pending(msgspec.structs.replace(store.target(), password="wrong"), SCHEMA)


def test_nobody_comes_in_without_tls_or_with_a_wrong_password(store: Store) -> None:
    with pytest.raises(psycopg.OperationalError, match="no encryption"):
        store.met("reader", sslmode="disable")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        store.met("reader", "wrong")
    for stranger in (ACCOUNT, "upkeep", "exporter"):
        with pytest.raises(psycopg.OperationalError, match=r"no pg_hba\.conf entry"):
            store.met(stranger, "x")
    with pytest.raises(psycopg.OperationalError, match=r"no pg_hba\.conf entry"):
        store.met("owner", dbname="postgres")


def test_its_certificate_is_seen_by_who_asks_as_its_clients_do(store: Store) -> None:
    assert "core" in served("localhost", store.port, store.ca, opening=SSL_REQUEST).names


def test_a_changed_password_is_set_and_the_old_one_refused(bare: Store) -> None:
    path, text = bare.place(postgresql.ROLES), bare.files[postgresql.ROLES]
    path.write_text(text.replace(verifier(bare.values.secret(postgresql.READER)), verifier("another")))
    bare.roles()
    bare.met("reader", "another").close()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        bare.met("reader")
    path.write_text(text)
    bare.roles()
    bare.met("reader").close()


def test_no_password_is_in_a_file_or_in_the_log(store: Store) -> None:
    secrets = [store.values.secret(name) for name in postgresql.LOGINS.values()]
    said = [*store.files.values(), (store.folder / "log").read_text()]
    assert not [secret for secret in secrets for text in said if secret in text]
    assert store.files[postgresql.ROLES].count("SCRAM-SHA-256$4096:") == len(secrets)


def test_the_writer_stores_each_event_once(writer: Connection, reader: Connection) -> None:
    given = row(1, symbol="ONCE/USDT")
    assert [writer.execute(ROW, given).rowcount for _ in range(2)] == [1, 0]
    assert one(reader, "SELECT count(*) FROM market_data WHERE symbol = 'ONCE/USDT'") == 1
    with pytest.raises(errors.UniqueViolation):
        writer.execute(ROW.removesuffix("ON CONFLICT DO NOTHING"), given)


def test_the_writer_copies_past_what_is_stored(writer: Connection, reader: Connection) -> None:
    with writer.transaction():
        writer.execute("CREATE TEMPORARY TABLE batch (LIKE market_data INCLUDING DEFAULTS) ON COMMIT DROP")
        columns = "time, exchange, symbol, kind, event_id, price, volume, quality_score"
        with writer.cursor().copy(f"COPY batch ({columns}) FROM STDIN") as copy:
            for number in (1, 2, 2, 3):
                copy.write_row((NOW, "binance", "COPY/USDT", "trade", str(number), Decimal("1.5"), 1, 0.5))
        stored = writer.execute("INSERT INTO market_data SELECT * FROM batch ON CONFLICT DO NOTHING")
        assert stored.rowcount == 3
    assert one(reader, "SELECT sum(price) FROM market_data WHERE symbol = 'COPY/USDT'") == Decimal("4.5")


@pytest.mark.parametrize(
    "wrong",
    [
        {"price": 0},
        {"price": -1},
        {"price": Decimal("NaN")},
        {"price": Decimal("Infinity")},
        {"volume": -1},
        {"volume": Decimal("NaN")},
        {"score": 1.01},
        {"score": -0.01},
        {"score": float("nan")},
        {"symbol": ""},
        {"id": ""},
    ],
    ids=str,
)
def test_what_cannot_be_is_refused(writer: Connection, wrong: Mapping[str, object]) -> None:
    with pytest.raises(errors.CheckViolation):
        writer.execute(ROW, row(7, **wrong))


@pytest.mark.parametrize("column", ["time", "symbol", "id", "price", "volume", "score"])
def test_what_is_unknown_is_refused(writer: Connection, column: str) -> None:
    with pytest.raises(errors.NotNullViolation):
        writer.execute(ROW, row(8, **{column: None}))


READS: tuple[LiteralString, ...] = ("market_data", "top_of_book", "features", "data_gaps", "dead_letters", "ohlcv_5min")


def test_the_reader_reads_all_and_changes_nothing(reader: Connection) -> None:
    for table in (*READS, "ohlcv_1hour", "upkeep_runs", "_yoyo_migration"):
        reader.execute(sql.SQL("SELECT * FROM {} LIMIT 1").format(sql.Identifier(table)))
    for refused in (
        "INSERT INTO dead_letters VALUES (now(), 's', '', '', '', 'r', '')",
        "DELETE FROM market_data",
        "UPDATE data_gaps SET filled = true",
        "TRUNCATE market_data",
        "DROP TABLE market_data",
        "CREATE TABLE other (a int)",
        "CREATE TEMPORARY TABLE other (a int)",
        "SELECT keep_partitions(interval '1 day')",
        "REFRESH MATERIALIZED VIEW ohlcv_5min",
        "SELECT rolpassword FROM pg_authid",
    ):
        with pytest.raises(errors.InsufficientPrivilege):
            reader.execute(refused)


def test_the_writer_adds_and_takes_nothing_away(writer: Connection) -> None:
    for refused in (
        "DELETE FROM market_data",
        "UPDATE market_data SET price = 1",
        "TRUNCATE market_data",
        "DROP TABLE market_data",
        "ALTER TABLE market_data DROP CONSTRAINT valid_price",
        "CREATE TABLE other (a int)",
        "INSERT INTO upkeep_runs VALUES ('x', now(), '1s')",
        "UPDATE data_gaps SET reason = 'x'",
        "SELECT keep_partitions(interval '1 day')",
        "SELECT make_partition('market_data', '2020-01-01')",
        "SELECT * FROM ohlcv_5min",
        "SET ROLE owner",
    ):
        with pytest.raises(errors.InsufficientPrivilege):
            writer.execute(refused)


def test_the_owner_is_no_superuser(store: Store) -> None:
    with store.met("owner") as owner:
        rights = "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls FROM pg_roles"
        assert one(owner, f"{rights} WHERE rolname = current_user") is False
        with pytest.raises(errors.InsufficientPrivilege):
            owner.execute("COPY market_data TO PROGRAM 'cat'")


def test_a_gap_is_told_once_and_closed(writer: Connection, reader: Connection) -> None:
    told = (
        "INSERT INTO data_gaps (time, exchange, symbol, channel, after_id, before_id, reason, filled)"
        " VALUES (%s, 'binance', 'GAP/USDT', 'trade', NULL, 9, 'start', %s)"
        " ON CONFLICT ON CONSTRAINT data_gaps_key DO UPDATE SET filled = excluded.filled"
    )
    for filled in (False, False, True):
        writer.execute(told, (NOW, filled))
    assert one(reader, "SELECT count(*), bool_and(filled) FROM data_gaps WHERE symbol = 'GAP/USDT'") == (1, True)


def test_the_views_hold_what_the_trades_make(store: Store, writer: Connection, reader: Connection) -> None:
    bucket = NOW.replace(minute=0, second=0) - timedelta(hours=2)
    # Two at one time: the lesser id is the first, and 9 is less than 10.
    trades = [(0, "9", "5"), (0, "10", "4"), (30, "11", "9"), (299, "12", "2"), (299, "13", "3"), (300, "14", "7")]
    for offset, number, price in trades:
        at = bucket + timedelta(seconds=offset)
        writer.execute(ROW, row(0, symbol="VIEW/USDT", id=number, time=at, price=Decimal(price), volume=2, score=0.5))
    store.upkeep()
    query = "SELECT * FROM {} WHERE symbol = 'VIEW/USDT' ORDER BY bucket LIMIT 1"
    with reader.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        five, hour = (cursor.execute(query.format(view)).fetchone() for view in ("ohlcv_5min", "ohlcv_1hour"))
    same = {"bucket": bucket, "symbol": "VIEW/USDT", "exchange": "binance", "open": 5, "high": 9, "low": 2}
    assert five is not None
    deviation = five.pop("price_stddev")
    assert five == same | {"close": 3, "volume": 10, "trade_count": 5, "avg_quality": 0.5, "price_range": 7}
    assert float(deviation) == pytest.approx(2.7019, abs=1e-3)
    assert hour == same | {"close": 7, "volume": 12, "trade_count": 6, "avg_quality": 0.5}


def test_partitions_come_ahead_and_take_what_was_there_before(store: Store, writer: Connection) -> None:
    late = NOW - timedelta(days=5)
    writer.execute(ROW, row(1, symbol="LATE/USDT", time=late))
    where = "SELECT tableoid::regclass::text FROM market_data WHERE symbol = 'LATE/USDT'"
    assert one(writer, where) == "market_data_default"
    said = store.upkeep()
    assert f"market_data: partition of {late:%Y-%m-%d} made" in said
    assert one(writer, where) == f"market_data_{late:%Y%m%d}"
    for days in range(4):
        name = f"market_data_{datetime.now(UTC) + timedelta(days=days):%Y%m%d}"
        assert one(writer, "SELECT to_regclass(%s) IS NOT NULL", name), name
    assert "made" not in store.upkeep()


def test_what_is_older_than_retention_goes_with_its_partition(store: Store, writer: Connection) -> None:
    old = NOW - timedelta(days=shipped("lab", "core").stack.retention.analytics_days + 2)
    name = f"market_data_{old:%Y%m%d}"
    with store.met("owner") as owner:
        owner.execute("SELECT make_partition('market_data', %s)", (old.date(),))
    writer.execute(ROW, row(1, symbol="OLD/USDT", time=old))
    writer.execute(ROW, row(2, symbol="OLD/USDT", time=old - timedelta(days=1)))
    assert f"market_data: {name} dropped" in store.upkeep()
    assert one(writer, "SELECT count(*) FROM market_data WHERE symbol = 'OLD/USDT'") == 0


def test_upkeep_waits_for_the_schema_and_tells_when_it_ran(bare: Store, store: Store, reader: Connection) -> None:
    store.upkeep()
    runs = reader.execute("SELECT task FROM upkeep_runs WHERE finished > now() - interval '1 minute' ORDER BY 1")
    assert [task for (task,) in runs] == ["keep_partitions", "ohlcv_1hour", "ohlcv_5min"]


def test_what_was_acknowledged_survives_a_kill(store: Store) -> None:
    with store.met("writer") as writer:
        for number in range(100):
            writer.execute(ROW, row(number, symbol="KILL/USDT"))
        store.kill()
    store.start()
    with store.met("reader") as reader:
        assert one(reader, "SELECT count(*) FROM market_data WHERE symbol = 'KILL/USDT'") == 100


def test_upkeep_does_nothing_before_there_is_a_schema(tmp_path: Path) -> None:
    with fresh(StateDir(tmp_path)) as store:
        assert store.upkeep().strip() == ""
