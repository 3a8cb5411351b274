"""The features' configuration, as a real Redis takes it: over TLS, by user, with what survives a kill."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from himari.catalog.hostpaths import CA_CERTIFICATE, FEATURES_ACL, FEATURES_CERTIFICATE, FEATURES_CONFIG, FEATURES_STATE
from himari.catalog.redis_features import KEY, UNIT
from himari.stack.paths import StateDir
from himari.vault.authority import Authority
from tests.services.conftest import PASSWORDS, free_port, with_passwords
from tests.unit.catalog.conftest import Render, Shipped

LATEST = "features:binance:BTC/USDT:latest"
AT_ONCE = Retry(NoBackoff(), 0)


class Features:
    """A redis-server with the files of a features host: only paths, port and passwords are the test's."""

    def __init__(self, folder: Path, files: dict[str, str], authority: Authority) -> None:
        self.folder, self.port, self.ca = folder, free_port(), authority.certificate_file
        issued = authority.issue("features", ["localhost"])
        (folder / "key.pem").write_text(issued.key)
        (folder / "certificate.pem").write_text(issued.certificate)
        (folder / "users.acl").write_text(with_passwords(files[FEATURES_ACL]))
        config = files[FEATURES_CONFIG].replace("6380", str(self.port))
        for place, here in (
            (f"/run/credentials/{UNIT}/{KEY}", folder / "key.pem"),
            (FEATURES_CERTIFICATE, folder / "certificate.pem"),
            (CA_CERTIFICATE, self.ca),
            (FEATURES_ACL, folder / "users.acl"),
            (FEATURES_STATE, folder),
        ):
            config = config.replace(place, str(here))
        (folder / "redis.conf").write_text(config)

    def start(self) -> None:
        """Returns when it answers."""
        self.process = subprocess.Popen(["redis-server", str(self.folder / "redis.conf")], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while not self._answers():
            assert self.process.poll() is None
            assert time.monotonic() < deadline

    def kill(self) -> None:
        """As a power cut of the process."""
        self.process.kill()
        self.process.wait()

    def client(self, user: str, password: str | None = None) -> "redis.Redis":
        """As its users come."""
        return redis.Redis(
            port=self.port,
            username=user,
            password=password or PASSWORDS.get(user, ""),
            ssl=True,
            ssl_ca_certs=str(self.ca),
            decode_responses=True,
            retry=AT_ONCE,
        )

    def _answers(self) -> bool:
        try:
            with self.client("reader") as client:
                return bool(client.ping())
        except redis.exceptions.ConnectionError:
            return False


@pytest.fixture
def features(tmp_path: Path, rendered: Render, view: Shipped) -> Iterator[Features]:
    folder = tmp_path / "features"
    folder.mkdir()
    made = rendered("redis_features", view("lab", "core"))
    server = Features(folder, dict(made.files), Authority.open(StateDir(tmp_path / "lab")))
    server.start()
    yield server
    server.kill()


def test_the_writer_writes_and_the_reader_reads(features: Features) -> None:
    with features.client("writer") as writer, features.client("reader") as reader:
        with writer.pipeline() as both:  # MULTI, EXEC
            both.set(LATEST, "1", ex=3600).zadd(f"{LATEST}:history", {"row": 1.0}).expire(f"{LATEST}:history", 60)
            both.execute()
        assert reader.get(LATEST) == "1"
        assert reader.zrange(f"{LATEST}:history", 0, -1) == ["row"]
        for refused in (("SET", LATEST, "2"), ("DEL", LATEST), ("GET", "others"), ("CONFIG", "GET", "dir")):
            with pytest.raises(redis.exceptions.NoPermissionError):
                reader.execute_command(*refused)
        for refused in (("GET", LATEST), ("SET", "others", "1"), ("FLUSHALL",), ("ACL", "LIST")):
            with pytest.raises(redis.exceptions.NoPermissionError):
                writer.execute_command(*refused)


def test_what_was_written_survives_a_kill_with_its_time_to_live(features: Features) -> None:
    with features.client("writer") as writer:
        writer.set(LATEST, "1", ex=3600)
        with writer.pipeline() as both:
            both.zadd(f"{LATEST}:history", {"row": 1.0}).expire(f"{LATEST}:history", 600).execute()
        writer.set("features:gone", "1", px=1)
    log = features.folder / "appendonlydir"
    deadline = time.monotonic() + 10
    while not any(b"features:gone" in path.read_bytes() for path in log.glob("*.incr.aof")):
        assert time.monotonic() < deadline
    features.kill()
    features.start()
    with features.client("reader") as reader:
        assert reader.get(LATEST) == "1"
        assert reader.zrange(f"{LATEST}:history", 0, -1) == ["row"]
        assert 0 < reader.ttl(f"{LATEST}:history") <= 600
        assert reader.get("features:gone") is None


def test_nobody_comes_in_without_tls_a_name_or_the_password(features: Features) -> None:
    plain = redis.Redis(port=features.port, username="reader", password=PASSWORDS["reader"], retry=AT_ONCE)
    nobody = redis.Redis(port=features.port, ssl=True, ssl_ca_certs=str(features.ca), retry=AT_ONCE)
    with plain, pytest.raises(redis.exceptions.ConnectionError):
        plain.ping()
    with features.client("reader", "wrong") as stranger, pytest.raises(redis.exceptions.AuthenticationError):
        stranger.get(LATEST)
    with nobody, pytest.raises(redis.exceptions.AuthenticationError):
        nobody.get(LATEST)


def test_the_operator_learns_how_it_is_and_no_data(features: Features) -> None:
    with features.client("operator") as operator:
        assert operator.config_get("maxmemory-policy") == {"maxmemory-policy": "volatile-ttl"}
        assert operator.acl_getuser("default")["flags"][0] == "off"
        with pytest.raises(redis.exceptions.NoPermissionError):
            operator.get(LATEST)
