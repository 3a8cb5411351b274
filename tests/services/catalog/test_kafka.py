"""The broker's configuration, as a real Apache Kafka takes it: who comes in, who may do what, what survives a kill."""

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import KafkaError, KafkaException

from himari.apply.declared import kafka as declared
from himari.apply.declared.broker_client import Client, Place, logs_in
from himari.catalog import broker, kafka, ports
from himari.proof.certificates import served
from himari.stack.errors import DeployError
from himari.stack.network import LOOPBACK
from himari.stack.paths import StateDir
from himari.vault.authority import Authority
from tests.services.broker import HOST, Broker, plain_answer, read, running, written

pytestmark = pytest.mark.xdist_group("kafka")


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker that holds what is declared."""
    with running(tmp_path_factory.mktemp("kafka")) as started:
        declared.apply(started.means(), HOST, lambda host, says: None)
        yield started


def place(held: Broker, port: int) -> Place:
    return Place(host=HOST, address=LOOPBACK, port=port, ca_file=held.values.authority.certificate_file)


def test_what_the_relay_writes_the_sink_reads(held: Broker) -> None:
    assert written(held.client(broker.RELAY, enable_idempotence=True), broker.RAW, b"frame") == [None]
    assert b"frame" in read(held.client(broker.SINK, group_id="sink-test"), broker.RAW, 1)


def test_each_is_refused_what_is_not_its_own(held: Broker) -> None:
    denied = KafkaError.TOPIC_AUTHORIZATION_FAILED
    (refused,) = written(held.client(broker.RELAY), broker.NORMALIZED, b"no")
    assert refused is not None
    assert refused.code() == denied
    (refused,) = written(held.client(broker.READER), broker.NORMALIZED, b"no")
    assert refused is not None
    assert refused.code() == denied
    with pytest.raises(KafkaException) as raised:
        read(held.client(broker.READER, group_id="reader-test"), broker.RAW, 1)
    assert raised.value.args[0].code() == denied
    with pytest.raises(KafkaException) as raised:
        read(held.client(broker.READER, group_id="sink-test"), broker.NORMALIZED, 1)
    assert raised.value.args[0].code() == KafkaError.GROUP_AUTHORIZATION_FAILED


def test_nobody_makes_a_topic_by_writing_to_it(held: Broker) -> None:
    (refused,) = written(held.client(broker.RELAY), "nobody_declared_it", b"no")
    assert refused is not None
    assert "nobody_declared_it" not in client(held).held().topics


def test_nobody_comes_in_without_tls_or_the_password(held: Broker) -> None:
    at = place(held, ports.KAFKA)
    assert not logs_in(at, broker.RELAY, "wrong")
    assert not logs_in(at, "stranger", "wrong")
    assert plain_answer(ports.KAFKA)[:4] != bytes.fromhex("00000000")
    assert not plain_answer(ports.KAFKA).startswith(b"\x00\x00")


def test_its_certificate_is_the_stacks_for_its_address(held: Broker) -> None:
    shown = served(LOOPBACK, ports.KAFKA, held.values.authority.certificate_file)
    assert LOOPBACK in shown.names


@pytest.mark.parametrize("port", ["KAFKA_ADMIN", "KAFKA_CONTROLLER"])
def test_without_a_certificate_of_the_stack_nobody_is_an_admin(held: Broker, port: str, tmp_path: Path) -> None:
    stranger = Authority.open(StateDir(tmp_path / "other")).visitor(broker.OPERATOR)
    (tmp_path / "stranger.pem").write_text(stranger.certificate + stranger.key)
    for shown in (None, tmp_path / "stranger.pem"):
        context = ssl.create_default_context(cafile=str(held.values.authority.certificate_file))
        if shown:
            context.load_cert_chain(shown)
        with (
            socket.create_connection((LOOPBACK, getattr(ports, port)), 10) as plain,
            pytest.raises(ssl.SSLError, match=r"(?i)certificate"),
            context.wrap_socket(plain, server_hostname=LOOPBACK) as wrapped,
        ):
            wrapped.recv(1)  # who is refused hears so after the handshake


def test_a_certificate_of_another_name_may_do_nothing(held: Broker) -> None:
    somebody = held.values.authority.visitor("somebody")
    held_by_somebody = Client(place(held, ports.KAFKA_ADMIN), somebody.certificate, somebody.key)
    with pytest.raises(DeployError, match="for no admin"):
        held_by_somebody.held()


def client(held: Broker) -> Client:
    operator = held.values.authority.visitor(broker.OPERATOR)
    return Client(place(held, ports.KAFKA_ADMIN), operator.certificate, operator.key)


def test_what_was_acknowledged_survives_a_kill_and_the_storage_is_formatted_once(held: Broker) -> None:
    values = [f"kept-{number}".encode() for number in range(500)]
    assert written(held.client(broker.RELAY, acks="all", compression_type="zstd"), broker.RAW, *values) == [None] * 500
    formatted = (held.data / "meta.properties").read_bytes()
    held.kill()
    held.start()
    assert (held.data / "meta.properties").read_bytes() == formatted
    found = read(held.client(broker.SINK, group_id="sink-kill"), broker.RAW, 501)
    assert set(values) <= set(found)
    assert kafka.cluster_id("lab") in formatted.decode()
