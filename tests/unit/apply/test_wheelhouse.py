from himari.apply.wheelhouse import digest
from himari.catalog.component import Artifact


def test_a_wheelhouse_is_addressed_by_sources_lock_and_python() -> None:
    runtime = Artifact(name="himari-runtime", lock="runtime.txt", venv="/opt/himari/runtime")
    consumer = Artifact(name="himari-runtime", lock="consumer.txt", venv="/opt/himari/runtime")
    exchange = Artifact(name="himari-exchange", lock="runtime.txt", venv="/opt/himari/runtime")
    addresses = {
        digest(runtime, "cp311"),
        digest(consumer, "cp311"),
        digest(exchange, "cp311"),
        digest(runtime, "cp313"),
    }
    assert len(addresses) == 4
    assert all(len(address) == 32 for address in addresses)
