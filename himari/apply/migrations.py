"""Numbered SQL migrations of a PostgreSQL database: each applied once, in order, in one transaction with its record.

yoyo-migrations reads the files and keeps the record; `yoyo` itself works on the same folder and tables."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from yoyo import read_migrations
from yoyo.backends.core import PostgresqlPsycopgBackend
from yoyo.connections import DatabaseURI
from yoyo.migrations import default_migration_table

from himari.stack.errors import DeployError

_SECONDS = 10
_VERIFIED = "verify-full"
_LOCK = 0x68696D61  # of ours among the database's advisory locks; one that is held ends with its connection
_LINES = 8
Connection = psycopg.Connection[tuple[Any, ...]]


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A database, as its owner reaches it."""

    host: str
    port: int
    user: str
    password: str
    database: str
    ca_file: Path  # that its certificate is checked by
    where: str = ""  # its name for people

    def __repr__(self) -> str:
        return f"Target({self.user}@{self.host}:{self.port}/{self.database})"


def known(folder: Path) -> tuple[str, ...]:
    """The names of the migrations in `folder`, in order."""
    return tuple(sorted(path.stem for path in folder.glob("*.sql")))


def pending(target: Target, folder: Path) -> tuple[str, ...]:
    """Those of `folder` that are not applied; nothing is changed. Raises DeployError when the database says no."""
    with connected(target) as connection:
        applied = _applied(connection)
    return tuple(name for name in known(folder) if name not in applied)


def apply(target: Target, folder: Path, report: Callable[[str], None] = lambda _: None) -> tuple[str, ...]:
    """Apply what is pending, and say which. Raises DeployError at the first that fails; those before it stay."""
    if not pending(target, folder):
        return ()
    with connected(target) as holder:
        holder.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        lacking = [name for name in known(folder) if name not in _applied(holder)]
        with _refused(target, "yoyo-migrations"), _backend(target) as backend:
            migrations = {each.id: each for each in read_migrations(str(folder))}
            for name in lacking:
                report(f"migration {name}")
                _apply_one(target, backend, migrations[name])
    return tuple(lacking)


def _apply_one(target: Target, backend: Any, migration: Any) -> None:
    # yoyo would record it in a transaction of its own: cut off between the two, it would be applied again.
    with _refused(target, f"migration {migration.id}"), backend.transaction():
        migration.process_steps(backend, "apply")
        backend.mark_one(migration)


def _applied(connection: Connection) -> set[str]:
    there = connection.execute("SELECT to_regclass(%s)", (default_migration_table,)).fetchone()
    if there is None or there[0] is None:
        return set()
    return {name for (name,) in connection.execute("SELECT migration_id FROM _yoyo_migration")}


@contextmanager
def connected(target: Target) -> Iterator[Connection]:
    """A connection as its owner, while the block lasts. Raises DeployError with what the database refuses meanwhile."""
    with (
        _refused(target, f"a login as {target.user}"),
        psycopg.connect(
            host=target.host,
            port=target.port,
            user=target.user,
            password=target.password,
            dbname=target.database,
            sslmode=_VERIFIED,
            sslrootcert=str(target.ca_file),
            connect_timeout=_SECONDS,
            autocommit=True,
        ) as connection,
    ):
        yield connection


@contextmanager
def _backend(target: Target) -> Iterator[Any]:
    uri = DatabaseURI(
        "postgresql+psycopg",
        target.user,
        target.password,
        target.host,
        target.port,
        target.database,
        {"sslmode": _VERIFIED, "sslrootcert": str(target.ca_file), "connect_timeout": _SECONDS},
    )
    with PostgresqlPsycopgBackend(uri, default_migration_table) as backend:
        backend.init_database()
        backend.break_lock()  # a row, which a killed run leaves for ever; we hold a lock that ends with its holder
        backend.ensure_internal_schema_updated()
        yield backend


@contextmanager
def _refused(target: Target, what: str) -> Iterator[None]:
    """PostgreSQL's refusal of what is done within, in its own words."""
    try:
        yield
    except psycopg.Error as error:
        lines = str(error).strip().splitlines()[-_LINES:]
        said = "".join(f"\n    {line}" for line in lines)
        raise DeployError(f"{what}: the database refuses it{said}", target.where or target.host) from None
