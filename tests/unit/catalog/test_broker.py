from collections.abc import Callable

import msgspec
import pytest

from himari.catalog import broker
from himari.catalog.broker import Declared, Kind, Right
from himari.catalog.component import View
from himari.stack.sizes import broker_disk_bytes

Shipped = Callable[..., View]
DAY_MS = 86_400_000


@pytest.fixture
def declared(view: Shipped) -> Declared:
    return broker.declared(view("lab", "core"))


def rights(declared: Declared, user: str, kind: Kind, right: Right) -> set[str]:
    return {one.name for one in declared.grants if (one.user, one.kind, one.right) == (user, kind, right)}


def test_the_topics_are_those_of_the_design(declared: Declared) -> None:
    said = {one.name: (one.partitions, int(one.config["retention.ms"]) // DAY_MS) for one in declared.topics}
    assert said == {
        "raw_market_data": (12, 7),
        "market_data_normalized": (12, 30),
        "quality_scores": (6, 14),
        "causal_events": (3, 30),
        "features_computed": (6, 90),
        "dead_letters": (3, 30),
    }


def test_all_topics_and_the_segments_that_they_are_about_to_give_up_fit_the_disk(view: Shipped) -> None:
    core = view("lab", "core")
    taken = sum(
        one.partitions * (int(one.config["retention.bytes"]) + int(one.config["segment.bytes"]))
        for one in broker.declared(core).topics
    )
    room = broker_disk_bytes(core.stack, core.host)
    assert room / 2 < taken <= room * 1.05  # a small topic's segments are not cut below a least size


def test_a_larger_disk_holds_more_until_all_that_the_rates_ask_is_held(view: Shipped) -> None:
    core = view("lab", "core")

    def held(disk_gb: int) -> int:
        host = msgspec.structs.replace(core.host, disk_gb=disk_gb)
        stack = msgspec.structs.replace(core.stack, hosts={**core.stack.hosts, "core": host})
        said = broker.declared(msgspec.structs.replace(core, stack=stack))
        return sum(int(one.config["retention.bytes"]) for one in said.topics)

    assert held(20) < held(200) < held(20_000) == held(40_000)


def test_each_user_may_what_its_service_does_and_no_more(declared: Declared) -> None:
    def of(user: str, right: Right) -> set[str]:
        return rights(declared, user, Kind.TOPIC, right)

    assert of("relay", Right.WRITE) == {"raw_market_data"}
    assert of("relay", Right.READ) == of("sink", Right.WRITE) == of("reader", Right.WRITE) == set()
    assert "raw_market_data" not in of("stream", Right.WRITE) | of("reader", Right.READ)
    assert of("stream", Right.WRITE) == set(broker.TOPICS) - {"raw_market_data"}
    assert of("sink", Right.READ) == set(broker.TOPICS)
    assert of("watcher", Right.READ) == of("watcher", Right.WRITE) == set()
    assert len(declared.grants) == len(set(declared.grants))


def test_an_exactly_once_client_has_its_groups_and_its_transactions(declared: Declared) -> None:
    assert rights(declared, "stream", Kind.GROUP, Right.READ) == {"stream"}
    for right in (Right.WRITE, Right.DESCRIBE):
        assert rights(declared, "stream", Kind.TRANSACTIONAL_ID, right) == {"stream"}
    assert all(one.prefixed for one in declared.grants if one.kind is Kind.TRANSACTIONAL_ID)


def test_each_user_has_a_password_of_its_own(declared: Declared) -> None:
    assert len({one.secret for one in declared.users}) == len(declared.users)
    assert {one.user for one in declared.grants} == {one.name for one in declared.users}
