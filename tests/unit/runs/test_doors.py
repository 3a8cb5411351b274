import pytest

from himari.runs.doors import private, privates
from himari.stack.errors import StackFileError
from himari.stack.load import load_stack

LAB = load_stack("lab")


def test_each_private_port_is_there_once_where_its_host_reaches_it() -> None:
    found = {(one.host, one.service): (one.address, one.port) for one in privates(LAB, {})}
    assert found["core", "redis-features"] == ("10.77.0.3", 6380)
    assert found["exchange", "exchange-control"] == ("127.0.0.1", 9444)
    assert ("exchange", "venue") not in found
    assert len(found) == len(privates(LAB, {}))


def test_a_service_of_one_host_needs_no_host() -> None:
    assert private(LAB, {}, "redis-features").host == "core"


def test_a_service_of_several_hosts_asks_which() -> None:
    with pytest.raises(StackFileError, match="several hosts") as error:
        private(LAB, {}, "node-metrics")
    assert error.value.hint == "--host edge"
    assert private(LAB, {}, "node-metrics", "core").host == "core"


def test_a_mistyped_service_is_told_with_the_nearest() -> None:
    with pytest.raises(StackFileError) as error:
        private(LAB, {}, "redis-feature")
    assert error.value.hint == "did you mean redis-features?"
