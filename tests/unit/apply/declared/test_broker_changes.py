"""What a broker lacks, in words and as work; what would take data away is told apart."""

from typing import Any

import msgspec

from himari.apply.declared.broker_changes import Changes, Held, Rule, changes
from himari.catalog.broker import Declared, Grant, Kind, Right, Topic, User

TOPIC = Topic(name="trades", partitions=3, config={"retention.ms": "1000", "segment.ms": "100"})
USER = User(name="relay", secret="broker-relay")
GRANT = Grant(user="relay", right=Right.WRITE, kind=Kind.TOPIC, name="trades")
RULE = Rule("User:relay", "write", "topic", "trades", "literal")
WANTED = Declared(topics=(TOPIC,), users=(USER,), grants=(GRANT,))
HELD = Held(topics={"trades": TOPIC}, users=frozenset({"relay"}), rules=frozenset({RULE}))


def with_topic(**changed: Any) -> Changes:
    there = msgspec.structs.replace(TOPIC, **changed)
    return changes(WANTED, msgspec.structs.replace(HELD, topics={"trades": there}), {"relay"})


def test_what_is_as_declared_lacks_nothing() -> None:
    found = changes(WANTED, HELD, {"relay"})
    assert found == Changes()


def test_an_empty_broker_lacks_everything() -> None:
    found = changes(WANTED, Held(topics={}, users=frozenset(), rules=frozenset()), set())
    assert found.says == (
        "topic trades: create, 3 partitions",
        "user relay: create",
        "right relay write topic trades: grant",
    )
    assert found.losses == ()


def test_growth_loses_nothing_and_fewer_partitions_lose_all() -> None:
    grown = with_topic(partitions=2)
    assert (grown.grown, grown.losses) == ((TOPIC,), ())
    shrunk = with_topic(partitions=4)
    assert shrunk.remade == (TOPIC,)
    assert shrunk.losses == shrunk.says == ("topic trades: 4 partitions, expected 3",)


def test_a_shorter_retention_loses_data_and_a_longer_one_does_not() -> None:
    assert with_topic(config={**TOPIC.config, "retention.ms": "999"}).losses == ()
    for longer in ("1001", "-1"):
        found = with_topic(config={**TOPIC.config, "retention.ms": longer})
        assert found.losses == found.says == (f"topic trades: retention.ms {longer}, expected 1000",)
    assert with_topic(config={"retention.ms": "1000", "segment.ms": "5"}).losses == ()


def test_settings_that_nobody_declared_are_left() -> None:
    assert with_topic(config={**TOPIC.config, "flush.ms": "7"}) == Changes()


def test_a_password_that_does_not_let_in_is_put_again() -> None:
    found = changes(WANTED, HELD, set())
    assert (found.users, found.says) == ((USER,), ("user relay: password differs",))


def test_topics_of_others_stay_and_users_and_rights_of_others_go() -> None:
    foreign = Rule("User:relay", "all", "topic", "tr", "prefixed", "deny", "192.0.2.7")
    there = Held(
        topics={**HELD.topics, "notes": TOPIC},
        users=HELD.users | {"stranger"},
        rules=HELD.rules | {foreign},
    )
    found = changes(WANTED, there, {"relay"})
    assert found.says == (
        "user stranger: remove, not declared",
        "right relay all topic tr* (deny) from 192.0.2.7: withdraw, not declared",
    )
