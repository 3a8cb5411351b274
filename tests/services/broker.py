"""A real broker on loopback, with the files that a host of the lab gets: only ports and paths are the test's."""

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer

from himari.apply.declared.broker_client import Place
from himari.apply.declared.services import Means
from himari.apply.render import render
from himari.apply.trees import tree_folder
from himari.apply.values import Values
from himari.catalog import broker, kafka, ports
from himari.catalog.component import View
from himari.catalog.hostpaths import CA_CERTIFICATE, KAFKA, KAFKA_CONFIG, KAFKA_LOGGING, KAFKA_STATE
from himari.ssh import connection
from himari.ssh.visitor import Visitor
from himari.stack.known import KnownHost
from himari.stack.network import LOOPBACK, tunnel_address
from himari.stack.paths import StateDir
from tests.services.conftest import free_port
from tests.unit.catalog.conftest import shipped

HOST = "core"
START_S = 120.0
PORTS = ("KAFKA", "KAFKA_LOCAL", "KAFKA_ADMIN", "KAFKA_CONTROLLER")


class Broker:
    """It can be killed and started again."""

    def __init__(self, folder: Path, jars: Path) -> None:
        view = shipped("lab", HOST)
        self.state = StateDir(folder / view.stack.name)
        known = {HOST: KnownHost(address=connection.LOCAL)}
        self.view = msgspec.structs.replace(view, known=known)
        self.values = Values.open(view.stack, known, self.state)
        self.visitor = Visitor(known, self.state)
        self._paths = {
            f"/run/credentials/{kafka.UNIT}/{kafka.KEYSTORE}": folder / "keystore.pem",
            CA_CERTIFICATE: self.values.authority.certificate_file,
            KAFKA_CONFIG: folder / "server.properties",
            KAFKA_LOGGING: folder / "log4j2.properties",
            KAFKA_STATE: folder / "kafka",
            kafka.FORMAT: folder / "format",
            kafka.READY: folder / "ready",
            KAFKA: jars,
            tunnel_address(view.stack, HOST): LOOPBACK,
        }
        self._folder = folder
        self._put(view)

    def _put(self, view: View) -> None:
        component = kafka.component(view)
        for one in render(component, view, self.values):
            here = self._paths.get(one.file.path, self._folder / "unit")
            Path(here).write_text(self._here(one.content.decode()))
            Path(here).chmod(one.file.mode)
        keystore = self._folder / "keystore.pem"
        keystore.touch(mode=0o600)
        keystore.write_text(self.values.secret(kafka.KEYSTORE))

    def _here(self, text: str) -> str:
        for there, here in self._paths.items():
            text = text.replace(there, str(here))
        return text

    def _command(self, setting: str) -> list[str]:
        """A command of the unit, as systemd would run it."""
        lines = (self._folder / "unit").read_text().replace("\\\n", " ").splitlines()
        (line,) = (line for line in lines if line.startswith(f"{setting}="))
        return line.partition("=")[2].split()

    def start(self) -> None:
        """Returns when it serves, by the unit's own word for that."""
        subprocess.run(self._command("ExecStartPre"), check=True, capture_output=True)
        log = (self._folder / "log").open("ab")
        self.process = subprocess.Popen(self._command("ExecStart"), stdout=log, stderr=log)
        log.close()
        deadline = time.monotonic() + START_S
        while subprocess.run([self._folder / "ready"], capture_output=True, check=False).returncode:
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()

    def kill(self) -> None:
        """As a power cut of the process."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def log(self) -> str:
        """What it said."""
        return (self._folder / "log").read_text()

    @property
    def data(self) -> Path:
        """Where it stores."""
        return self._folder / "kafka" / "data"

    def means(self, *, allow_data_loss: bool = False) -> Means:
        """As the operator comes."""
        return Means(self.values, self.visitor, allow_data_loss)

    def client(self, user: str, password: str | None = None, **more: Any) -> dict[str, Any]:
        """The settings of a client of `user`, with its own password unless another is given."""
        place = Place(host=HOST, address=LOOPBACK, port=ports.KAFKA, ca_file=self.values.authority.certificate_file)
        login = {
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_username": user,
            "sasl_password": password or self.values.secret(broker.secret(user)),
        }
        return {**place.config(**login), **{key.replace("_", "."): value for key, value in more.items()}}


@contextmanager
def running(folder: Path) -> Iterator[Broker]:
    """A broker that serves, with ports of its own, while the block lasts."""
    with pytest.MonkeyPatch.context() as patch:
        for name in PORTS:
            patch.setattr(ports, name, free_port())
        held = Broker(folder, tree_folder(kafka.TREE))
        held.start()
        try:
            yield held
        finally:
            held.kill()
            held.visitor.close()
            connection.close({}, held.state)


def written(settings: dict[str, Any], topic: str, *values: bytes) -> list[KafkaError | None]:
    """What came of writing `values`, each in turn."""
    producer, came = Producer({"message.timeout.ms": 10_000, **settings}), []
    for value in values:
        producer.produce(topic, value, on_delivery=lambda error, _: came.append(error))
    producer.flush(20)
    return came


def read(settings: dict[str, Any], topic: str, count: int, seconds: float = 20.0) -> list[bytes]:
    """The values of `count` records from the topic's beginning; raises the KafkaException that it met instead."""
    consumer = Consumer({"auto.offset.reset": "earliest", "enable.auto.commit": False, **settings})
    consumer.subscribe([topic])
    found: list[bytes] = []
    deadline = time.monotonic() + seconds
    try:
        while len(found) < count and time.monotonic() < deadline:
            message = consumer.poll(0.5)
            if message is not None:
                found.append(_value(message))
        return found
    finally:
        consumer.close()


def _value(message: Message) -> bytes:
    if (error := message.error()) is not None:
        raise KafkaException(error)
    return message.value() or b""


def plain_answer(port: int) -> bytes:
    """What it says to who speaks no TLS: an ApiVersions request of the Kafka protocol."""
    with socket.create_connection((LOOPBACK, port), 5) as plain:
        plain.sendall(bytes.fromhex("0000000a00120000000000010000"))
        try:
            return plain.recv(64)
        except ConnectionResetError:
            return b""
