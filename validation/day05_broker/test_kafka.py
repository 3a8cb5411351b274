"""The broker, as its own users meet it with a real client, and as those who are not its users do."""

import socket
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from himari.apply.declared import kafka as declared
from himari.apply.declared.broker_client import Client, Place, logs_in
from himari.apply.declared.services import Means
from himari.apply.values import Values
from himari.catalog import broker, ports
from himari.catalog.kafka import LISTENER, UNIT
from himari.proof import readings
from himari.proof.certificates import served
from himari.proof.checks import Case, Observed, check, found
from himari.proof.probe import Probe
from himari.proof.subject import Subject
from himari.stack.errors import HostError
from himari.stack.network import LOOPBACK
from himari.stack.paths import StateDir
from himari.stack.sizes import broker_heap_bytes

SECONDS = 15.0
RENEWED_BEFORE_DAYS = 14
UNDECLARED = "himari_undeclared"
API_VERSIONS = bytes.fromhex("0000000a00120000000000010000")  # what a client of the Kafka protocol asks first
LARGEST_ANSWER = b"\x00\x00"  # an answer begins with its length, and none to that is longer than two bytes can say


def place(subject: Subject, host: str, port: int) -> Place:
    """The same port here: what the broker advertises leads through the same way."""
    door = subject.visitor.door(host, LOOPBACK, port, here=port)
    return Place(host=host, address=door.address, port=door.port, ca_file=subject.visitor.ca_file)


def login(subject: Subject, host: str, user: str, **more: Any) -> dict[str, Any]:
    """The settings of a client of `user`."""
    return place(subject, host, ports.KAFKA_LOCAL).config(
        security_protocol="SASL_SSL",
        sasl_mechanism="SCRAM-SHA-512",
        sasl_username=user,
        sasl_password=subject.visitor.password(broker.secret(user)),
        **more,
    )


def means(subject: Subject) -> Means:
    """As the operator comes, to look."""
    values = Values.open(subject.stack, subject.known, StateDir.of(subject.stack.name), makes=False)
    return Means(values, subject.visitor)


def refusal(settings: dict[str, Any], topic: str) -> str:
    """What a write to `topic` meets; empty when it is taken."""
    said: list[KafkaError | None] = []
    producer = Producer({"message.timeout.ms": int(SECONDS * 1000), **settings})
    producer.produce(topic, b"probe", on_delivery=lambda error, _: said.append(error))
    producer.flush(SECONDS)
    return "; ".join(one.name() for one in said if one) or ("" if said else "no answer")


def sight(settings: dict[str, Any], topic: str) -> str:
    """What who only asks whether there is such a topic meets; empty when it is told."""
    error = Producer(settings).list_topics(topic, timeout=SECONDS).topics[topic].error
    return error.name() if error else ""


def readable(settings: dict[str, Any], topic: str, partition: int, offset: int) -> Message:
    """The record there. Raises KafkaException for what the broker refuses, AssertionError when none comes."""
    group = f"{settings['sasl.username']}-proof"
    consumer = Consumer({"group.id": group, "enable.auto.commit": False, **settings})
    try:
        consumer.assign([TopicPartition(topic, partition, offset)])
        message = found(consumer.poll(SECONDS), f"no record of {topic} within {SECONDS:.0f} s")
        if (error := message.error()) is not None:
            raise KafkaException(error)
        return message
    finally:
        consumer.close()


@check("kafka.answers", "the broker answers its operator, who comes by a certificate", replaces="part II: broker")
def test_answers(case: Case, observed: Observed, subject: Subject) -> None:
    issued = means(subject).values.authority.visitor(broker.OPERATOR)
    held = Client(place(subject, case.host, ports.KAFKA_ADMIN), issued.certificate, issued.key).held()
    observed(f"{len(held.topics)} topics, {len(held.users)} users, {len(held.rules)} rights")
    assert held.topics


@check("kafka.certificate", "it shows a certificate of the stack's CA, for its address, that is renewed in time")
def test_certificate(case: Case, observed: Observed, subject: Subject) -> None:
    at = place(subject, case.host, ports.KAFKA_LOCAL)
    shown = observed(served(at.address, at.port, at.ca_file))
    assert shown.days_left > RENEWED_BEFORE_DAYS, f"`himari up {subject.stack.name}` renews it"


@check("kafka.tls-only", "without TLS nobody is answered", replaces="part IX: TLS between hosts")
def test_tls_only(case: Case, observed: Observed, subject: Subject) -> None:
    at = place(subject, case.host, ports.KAFKA_LOCAL)
    with socket.create_connection((at.address, at.port), SECONDS) as plain:
        plain.sendall(API_VERSIONS)
        try:
            said = plain.recv(64)
        except ConnectionResetError:
            said = b""
    observed(said[:20].hex() or "closed")
    assert not said.startswith(LARGEST_ANSWER), "it speaks plain text"


@check("kafka.anonymous", "nobody is let in by a wrong password, or is an admin without a certificate of the stack")
def test_anonymous(case: Case, observed: Observed, subject: Subject) -> None:
    at = place(subject, case.host, ports.KAFKA_LOCAL)
    let_in = [user for user in (broker.RELAY, "admin") if logs_in(at, user, "wrong")]
    try:
        Client(place(subject, case.host, ports.KAFKA_ADMIN), "", "").held()
        let_in.append("who shows no certificate")
    except HostError as error:
        observed(f"no wrong password; {error.what}")
    assert not let_in, f"let in: {', '.join(let_in)}"


@check(
    "kafka.declared",
    "topics, partitions, retention, users with their passwords and rights are as declared",
    replaces="part II: topics; ACLs",
)
def test_declared(case: Case, observed: Observed, subject: Subject) -> None:
    lacking = declared.differences(means(subject), case.host)
    observed(list(lacking) or f"{len(broker.TOPICS)} topics, {len(broker.users())} users")
    assert not lacking, f"`himari up {subject.stack.name}` puts it right"


@check(
    "kafka.writes-and-reads",
    "what one user writes another reads; it is written in a transaction that is given up, so no store takes it",
    replaces="part X: broker test",
)
def test_writes_and_reads(case: Case, observed: Observed, subject: Subject) -> None:
    written: list[Message] = []
    settings = login(subject, case.host, broker.STREAM, transactional_id=f"{broker.STREAM}-proof")
    producer = Producer(settings)
    producer.init_transactions(SECONDS)
    producer.begin_transaction()
    producer.produce(broker.DEAD_LETTERS, b"probe", on_delivery=lambda _, message: written.append(message))
    producer.flush(SECONDS)
    (one,) = written
    partition, offset = found(one.partition(), "written nowhere"), found(one.offset(), "written nowhere")
    everything = login(subject, case.host, broker.SINK, isolation_level="read_uncommitted")
    message = readable(everything, broker.DEAD_LETTERS, partition, offset)
    producer.abort_transaction(SECONDS)
    observed(f"{broker.DEAD_LETTERS}/{partition} at {offset}")
    assert message.value() == b"probe"


@check("kafka.least", "the relay writes one topic, readers write none, and each reads its own alone")
def test_least_privilege(case: Case, observed: Observed, subject: Subject) -> None:
    said = [
        refusal(login(subject, case.host, broker.RELAY), broker.NORMALIZED),
        refusal(login(subject, case.host, broker.SINK), broker.DEAD_LETTERS),
        refusal(login(subject, case.host, broker.READER), broker.DEAD_LETTERS),
    ]
    said.append(sight(login(subject, case.host, broker.READER), broker.RAW))
    try:
        readable(login(subject, case.host, broker.RELAY), broker.RAW, 0, 0)
        said.append("the relay reads")
    except KafkaException as error:
        said.append(error.args[0].name())
    observed(said)
    assert all(one.endswith("_AUTHORIZATION_FAILED") for one in said), said


@check("kafka.no-auto-creation", "nobody makes a topic by writing to it", replaces="part II: auto-creation off")
def test_no_auto_creation(case: Case, observed: Observed, subject: Subject) -> None:
    said = observed(refusal(login(subject, case.host, broker.RELAY), UNDECLARED))
    issued = means(subject).values.authority.visitor(broker.OPERATOR)
    held = Client(place(subject, case.host, ports.KAFKA_ADMIN), issued.certificate, issued.key).held()
    assert said
    assert UNDECLARED not in held.topics


@check("kafka.bind", "users reach it in the tunnel and on its own host, admins on its own host only")
def test_bind(case: Case, probe: Probe, observed: Observed, subject: Subject) -> None:
    bound = {(one.address, one.port) for one in probe.sockets if one.protocol == "tcp"}
    users = {address for address, port in bound if port == ports.KAFKA}
    inside = {
        address for address, port in bound if port in (ports.KAFKA_LOCAL, ports.KAFKA_ADMIN, ports.KAFKA_CONTROLLER)
    }
    observed([f"users {', '.join(sorted(users))}", f"admins {', '.join(sorted(inside))}"])
    assert users, f"nothing listens as {LISTENER}"
    assert users <= subject.places(case.host)
    assert inside == {LOOPBACK}


@check("kafka.memory_max", "systemd stops it before the host runs out of memory")
def test_memory_limit(case: Case, probe: Probe, observed: Observed) -> None:
    limit = observed(probe.unit(UNIT).get("MemoryMax", ""))
    assert limit.isdigit(), "no limit"
    assert int(limit) > broker_heap_bytes(case.view.host)


@check("kafka.no-core", "no core file holds what it knows")
def test_no_core(probe: Probe, observed: Observed) -> None:
    limits = readings.limits(found(probe.process(UNIT), "it has no process").limits)
    assert observed(limits["Max core file size"]) == 0
