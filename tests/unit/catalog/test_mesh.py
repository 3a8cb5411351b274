import msgspec
import pytest

from himari.catalog.component import View
from himari.catalog.mesh import peers
from himari.stack.load import load_stack


def names(stack_name: str, host: str) -> list[str]:
    return [peer.name for peer in peers(View(stack=load_stack(stack_name), host_name=host))]


def test_hosts_peer_where_one_talks_to_the_other() -> None:
    assert names("lab", "brain") == ["edge", "core"]
    assert names("lab", "core") == ["brain"]
    assert names("lab", "edge") == ["brain"]


@pytest.mark.parametrize("stack_name", ["lab-edge", "lab"])
def test_the_exchange_has_no_peers(stack_name: str) -> None:
    assert names(stack_name, "exchange") == []


def test_a_host_that_nobody_talks_to_is_nobodys_peer() -> None:
    stack = load_stack("lab")
    without = {name: host for name, host in stack.hosts.items() if name != "edge"}
    view = View(stack=msgspec.structs.replace(stack, hosts={"core": without["core"]}), host_name="core")
    assert peers(view) == ()
