"""Rules between hosts: what nft lists is what was asked for; nothing here touches the machine."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from himari.lab import partition, rules
from himari.lab.identity import Lab, Record
from himari.lab.rules import Rule
from himari.lab.standing import Standing
from himari.stack.errors import HostError, StackFileError
from himari.stack.paths import StateDir

RECORD = Record(stack="tokyo", state="/x", subnet="10.200.0.0/24", hosts={"edge": 10, "brain": 11})


@pytest.fixture
def on(tmp_path_factory: pytest.TempPathFactory) -> Standing:
    return Standing(Lab("hm-0a1b2c"), RECORD, StateDir(tmp_path_factory.getbasetemp() / "tokyo"))


def listed(rule: Rule, packets: int) -> bytes:
    """A rule as nft 1.0 tells it, between things that are no rules."""
    counter = {"counter": {"packets": packets, "bytes": 60 * packets}}
    told = {
        "family": "bridge",
        "chain": "forward",
        "handle": 7,
        "comment": rule.comment,
        "expr": [counter, {"drop": None}],
    }
    return msgspec.json.encode({"nftables": [{"metainfo": {}}, {"table": {"name": "hm-0a1b2c"}}, {"rule": told}]})


@given(
    st.sampled_from(["cut", "loss", "rate", "delay"]),
    st.one_of(st.integers(0, 10**11).map(float), st.integers(1, 1000).map(lambda tenths: tenths / 10)),
    st.integers(0, 10**9),
)
def test_what_is_listed_says_the_rule_and_what_it_met(kind: str, value: float, packets: int) -> None:
    rule = Rule(kind, "edge", "brain", value)
    [found] = rules.parse(listed(rule, packets))
    assert (found.rule, found.chain, found.handle, found.packets) == (rule, "forward", 7, packets)


def test_a_rule_replaces_its_like_of_the_same_way_only() -> None:
    rule = Rule("loss", "edge", "brain", 30)
    assert rule.same_way(Rule("loss", "edge", "brain", 10))
    assert not rule.same_way(Rule("loss", "brain", "edge", 30))
    assert not rule.same_way(Rule("delay", "edge", "brain", 30))


def test_a_match_names_the_sender_by_hardware_and_the_receiver_by_cable(on: Standing) -> None:
    assert rules.between(on, "edge", "brain") == 'ether saddr 02:0a:1b:2c:00:0a oifname "hm-0a1b2c-v11"'


def test_both_ways_unless_one_is_asked_for() -> None:
    assert partition.ways("edge", "brain", one_way=False) == [("edge", "brain"), ("brain", "edge")]
    assert partition.ways("edge", "brain", one_way=True) == [("edge", "brain")]


def test_a_host_is_not_cut_off_from_itself() -> None:
    with pytest.raises(StackFileError, match="same host"):
        partition.ways("edge", "edge", one_way=False)


def test_an_unknown_host_is_refused_with_those_that_there_are(on: Standing) -> None:
    with pytest.raises(HostError) as caught:
        on.require("edge", "brian")
    assert (caught.value.where, caught.value.expected) == ("brian", "one of edge, brain")
