"""A PostgreSQL with the files of the analytics host, on loopback."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from himari.apply import migrations
from himari.apply.render import render
from himari.apply.values import Values
from himari.catalog import postgresql
from himari.catalog.hostpaths import ANALYTICS_CERTIFICATE, POSTGRESQL_DATA, POSTGRESQL_SOCKET
from himari.stack.paths import StateDir
from tests.services.conftest import free_port
from tests.unit.catalog.conftest import shipped

ACCOUNT = postgresql.ACCOUNT
AS_ACCOUNT = ("setpriv", f"--reuid={ACCOUNT}", f"--regid={ACCOUNT}", "--clear-groups")
Connection = psycopg.Connection[tuple[Any, ...]]


class Store:
    """A server with the files of the analytics host: only paths, port and system users are the test's."""

    def __init__(self, folder: Path, state: StateDir) -> None:
        view = shipped("lab", "core")
        self.folder, self.port = folder, free_port()
        self.values = Values.open(view.stack, view.known, state)
        self.ca = self.values.authority.certificate_file
        for name in ("state", "run"):
            (folder / name).mkdir()
            shutil.chown(folder / name, ACCOUNT, ACCOUNT)
        self.key = folder / "key.pem"
        self.key.write_text(self.values.secret(postgresql.KEY))
        shutil.chown(self.key, "root", ACCOUNT)
        self.key.chmod(0o440)  # as systemd's credentials look: root's, and readable for the service by an ACL
        part = postgresql.component(view)
        self.files = {
            one.file.path: self._here(one.content.decode(), one.file.path) for one in render(part, view, self.values)
        }
        for path, text in self.files.items():
            place = folder / Path(path).name
            place.write_text(text)
            place.chmod(0o755)

    def _here(self, text: str, path: str) -> str:
        places = {
            POSTGRESQL_DATA: self.folder / "state" / "15",
            POSTGRESQL_SOCKET: self.folder / "run",
            f"/run/credentials/{postgresql.UNIT}/{postgresql.KEY}": self.key,
            **{one: self.folder / Path(one).name for one in (postgresql.HBA, postgresql.IDENT, ANALYTICS_CERTIFICATE)},
        }
        for place, here in places.items():
            text = text.replace(place, str(here))
        if path == postgresql.IDENT:
            text = text.replace("himari-upkeep", ACCOUNT)
        return text.replace("5432", str(self.port)) if path == postgresql.MAIN else text

    def place(self, path: str) -> Path:
        return self.folder / Path(path).name

    def make(self) -> None:
        subprocess.run([*AS_ACCOUNT, str(self.place(postgresql.INITDB))], check=True)

    def start(self) -> None:
        """Returns when it answers."""
        command = [f"{postgresql.PROGRAMS}/postgres", f"--config-file={self.place(postgresql.MAIN)}"]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([*AS_ACCOUNT, *command], stderr=log, cwd="/")
        deadline = time.monotonic() + 30
        while not self._answers():
            assert self.process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def kill(self) -> None:
        """As a power cut of the process: its children see it and go."""
        self.process.kill()
        self.process.wait()

    def psql(self, script: Path, user: str = ACCOUNT, database: str = "postgres") -> str:
        """What a unit's psql says to a script, over the socket."""
        argv = [f"{postgresql.PROGRAMS}/psql", "--no-psqlrc", "--quiet", "--tuples-only", f"--file={script}"]
        where = [f"--host={self.folder / 'run'}", f"--port={self.port}", f"--username={user}", f"--dbname={database}"]
        done = subprocess.run([*AS_ACCOUNT, *argv, *where], capture_output=True, text=True, check=False, cwd="/")
        assert done.returncode == 0, done.stderr
        return done.stdout

    def roles(self) -> None:
        self.psql(self.place(postgresql.ROLES))

    def upkeep(self) -> str:
        return self.psql(self.place(postgresql.UPKEEP_SCRIPT), "upkeep", postgresql.DATABASE)

    def login(self, user: str, password: str = "", **options: str) -> dict[str, Any]:
        """How a user comes from another host or over ssh."""
        given = {"sslmode": "verify-full", "sslrootcert": str(self.ca), "host": "localhost", "port": self.port}
        secret = password or self.values.secret(postgresql.LOGINS.get(user, user))
        return {**given, "user": user, "password": secret, "dbname": postgresql.DATABASE, **options}

    def met(self, user: str, password: str = "", **options: str) -> Connection:
        return psycopg.connect(**self.login(user, password, **options), autocommit=True)

    def target(self) -> migrations.Target:
        return migrations.Target(
            host="localhost",
            port=self.port,
            user="owner",
            password=self.values.secret(postgresql.OWNER),
            database=postgresql.DATABASE,
            ca_file=self.ca,
        )

    def _answers(self) -> bool:
        argv = [f"{postgresql.PROGRAMS}/pg_isready", "--quiet", f"--host={self.folder / 'run'}", f"--port={self.port}"]
        return subprocess.run(argv, check=False).returncode == 0


@contextmanager
def folder_for_all() -> Iterator[Path]:
    """pytest's own folders are closed to the server's user."""
    with tempfile.TemporaryDirectory(prefix="himari-postgresql-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@contextmanager
def fresh(state: StateDir) -> Iterator[Store]:
    """A server that runs, with its logins."""
    with folder_for_all() as folder:
        store = Store(folder, state)
        store.make()
        store.start()
        try:
            store.roles()
            yield store
        finally:
            store.kill()
