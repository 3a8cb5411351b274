"""The simulator as an exchange host runs it: a seeded market, with its ledger, as a process."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from benchmarks._edge import certify, process
from benchmarks._frames import symbols
from benchmarks._held import await_condition
from benchmarks._redis import free_port, listens
from benchmarks._shipped import shipped
from himari.catalog.exchange import KEY
from himari.catalog.hostpaths import EXCHANGE_CERTIFICATE, EXCHANGE_SETTINGS, EXCHANGE_STATE
from himari.catalog.ports import EXCHANGE_CONTROL, VENUE
from himari.stack.load import load_stack

RUN = "from himari_exchange.main import main; main()"
START_SECONDS = 120.0  # a thousand books take theirs


class Exchange(msgspec.Struct, frozen=True):
    """A simulator that listens on `port` of loopback."""

    pid: int
    port: int


@contextmanager
def exchange(folder: Path, count: int, frames_per_s: float) -> Iterator[Exchange]:
    """`count` symbols that make `frames_per_s` together; its files are in `folder`. Killed afterwards."""
    certify(folder)
    (folder / KEY).symlink_to("venue.pem")
    port = free_port()
    (folder / "exchange.toml").write_text(_settings(folder, count, frames_per_s, port))
    argv = (sys.executable, "-c", RUN, "serve", "--settings", str(folder / "exchange.toml"))
    with (
        (folder / "exchange.log").open("wb") as log,
        process(argv, stderr=log, CREDENTIALS_DIRECTORY=str(folder)) as running,
    ):
        await_condition(lambda: running.poll() is not None or listens(port), "the exchange listens", START_SECONDS)
        if running.poll() is not None:
            raise RuntimeError(f"the exchange ended: {(folder / 'exchange.log').read_text()[-2000:]}")
        yield Exchange(running.pid, port)


def _settings(folder: Path, count: int, frames_per_s: float, port: int) -> str:
    """As the lab's exchange host has them, with other symbols, rate, paths and ports."""
    stack = load_stack("lab-edge")
    venues = {
        name: msgspec.structs.replace(venue, symbols=symbols(count), frames_per_s=frames_per_s)
        for name, venue in stack.venues.items()
    }
    text = shipped(msgspec.structs.replace(stack, venues=venues), "exchange", "exchange", folder)[EXCHANGE_SETTINGS]
    changes = {
        '"0.0.0.0"': '"127.0.0.1"',
        f"port = {VENUE}": f"port = {port}",
        f"port = {EXCHANGE_CONTROL}": f"port = {free_port()}",
        EXCHANGE_CERTIFICATE: f"{folder}/venue.pem",
        EXCHANGE_STATE: f"{folder}/ledger",
    }
    for shipped_text, ours in changes.items():
        text = text.replace(shipped_text, ours)
    return text
