"""The declaration against a real broker: put once, told in words, changed as it runs, no data taken away unasked."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from confluent_kafka import KafkaException, Producer

from himari.apply.declared import kafka as declared
from himari.apply.declared.broker_changes import Changes, Rule
from himari.apply.declared.broker_client import logs_in
from himari.catalog import broker, ports
from himari.catalog.broker import Declared, Topic, User
from himari.catalog.component import View
from himari.stack.errors import DeployError, HostError
from tests.services.broker import HOST, Broker, read, running, written
from tests.services.catalog.test_kafka import client, place

pytestmark = pytest.mark.xdist_group("kafka")
TOPIC = broker.CAUSAL


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with running(tmp_path_factory.mktemp("kafka")) as started:
        yield started


def apply(held: Broker, **means: bool) -> tuple[str, ...]:
    return declared.apply(held.means(**means), HOST, lambda host, says: None)


def with_topic(monkeypatch: pytest.MonkeyPatch, **changed: Any) -> None:
    """The stack declares TOPIC otherwise."""
    shipped = broker.declared

    def other(view: View) -> Declared:
        said = shipped(view)
        topics = [_changed(topic, changed) if topic.name == TOPIC else topic for topic in said.topics]
        return msgspec.structs.replace(said, topics=tuple(topics))

    monkeypatch.setattr(broker, "declared", other)


def _changed(topic: Topic, changed: dict[str, Any]) -> Topic:
    partitions = changed.get("partitions", topic.partitions)
    config = {**topic.config, **{key: value for key, value in changed.items() if key != "partitions"}}
    return Topic(name=topic.name, partitions=partitions, config=config)


def test_what_is_declared_is_put_once_and_told(held: Broker) -> None:
    first = declared.differences(held.means(), HOST)
    assert "topic raw_market_data: create, 12 partitions" in first
    assert "user relay: create" in first
    assert "right relay write topic raw_market_data: grant" in first
    assert apply(held) == first
    assert declared.differences(held.means(), HOST) == ()
    assert apply(held) == ()


def test_partitions_grow_and_settings_change_on_a_running_broker(held: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    apply(held)
    before = client(held).held().topics[TOPIC]
    longer = str(2 * int(before.config["retention.ms"]))
    with_topic(monkeypatch, partitions=before.partitions + 1, **{"retention.ms": longer})
    assert apply(held) == (
        f"topic {TOPIC}: {before.partitions} partitions, expected {before.partitions + 1}",
        f"topic {TOPIC}: retention.ms {before.config['retention.ms']}, expected {longer}",
    )
    after = client(held).held().topics[TOPIC]
    assert (after.partitions, after.config["retention.ms"]) == (before.partitions + 1, longer)
    assert apply(held) == ()


def test_no_data_is_taken_away_unless_that_is_asked_for(held: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    apply(held, allow_data_loss=True)
    with_topic(monkeypatch, partitions=1, **{"retention.ms": "60000"})
    with pytest.raises(DeployError, match="lose data") as refused:
        apply(held)
    assert "--allow-data-loss" in refused.value.hint
    assert client(held).held().topics[TOPIC].partitions > 1
    apply(held, allow_data_loss=True)
    there = client(held).held().topics[TOPIC]
    assert (there.partitions, there.config["retention.ms"]) == (1, "60000")


def test_a_topic_that_nobody_declared_stays_and_users_and_rights_go(held: Broker) -> None:
    apply(held, allow_data_loss=True)
    made = Changes(
        created=(Topic(name="notes", partitions=1, config={}),),
        users=(User(name="stranger", secret=""),),
        granted=(Rule("User:stranger", "read", "topic", broker.RAW, "literal"),),
    )
    client(held).make(made, {"stranger": "x" * 16})
    said = ("user stranger: remove, not declared", f"right stranger read topic {broker.RAW}: withdraw, not declared")
    assert apply(held) == said
    assert "notes" in client(held).held().topics
    assert apply(held) == ()


def test_a_changed_password_is_in_force_and_the_old_one_is_refused(held: Broker) -> None:
    apply(held, allow_data_loss=True)
    secret = held.values.secrets.folder / broker.secret(broker.RELAY)
    old = secret.read_text().strip()
    secret.write_text("another-password-of-the-relay\n")
    assert apply(held) == ("user relay: password differs",)
    at = place(held, ports.KAFKA)
    assert logs_in(at, broker.RELAY, "another-password-of-the-relay")
    assert not logs_in(at, broker.RELAY, old)
    assert apply(held) == ()


def test_the_stream_has_all_that_exactly_once_asks_for(held: Broker) -> None:
    apply(held, allow_data_loss=True)
    assert written(held.client(broker.RELAY), broker.RAW, b"raw") == [None]
    assert read(held.client(broker.STREAM, group_id="stream-stages"), broker.RAW, 1) == [b"raw"]
    producer = Producer(held.client(broker.STREAM, transactional_id="stream-1"))
    producer.init_transactions(20)
    producer.begin_transaction()
    producer.produce(broker.NORMALIZED, b"normal")
    producer.commit_transaction(20)
    committed = held.client(broker.SINK, group_id="sink-committed", isolation_level="read_committed")
    assert read(committed, broker.NORMALIZED, 1) == [b"normal"]
    other = Producer(held.client(broker.STREAM, transactional_id="other-1"))
    with pytest.raises(KafkaException, match=r"(?i)transactional id"):
        other.init_transactions(20)


def test_a_broker_that_is_away_is_told_as_such(held: Broker) -> None:
    held.kill()
    try:
        with pytest.raises(HostError, match="broker"):
            declared.differences(held.means(), HOST)
    finally:
        held.start()
