"""A window is taken from what hosts answer; the answers here are data."""

import json
from collections.abc import Sequence

import pytest

from himari.proof.accounts import Fault
from himari.proof.window import is_of_window, prove_data
from himari.stack.errors import HostError
from himari.stack.load import load_stack

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND


class Hosts:
    """Answers as the hosts would; the store passes the window's end at the third look."""

    def __init__(self, *, settles: bool = True, garbled: str = "") -> None:
        self.now = START
        self.looks = 0
        self.settles = settles
        self.garbled = garbled
        self.asked: list[tuple[str, str]] = []

    def __call__(self, host: str, argv: Sequence[str]) -> bytes:
        verb = argv[argv.index("--where") + 1] if "--where" in argv else argv[1]
        self.asked.append((host, verb))
        if argv[0] == "date":
            self.now += 10 * SECOND
            return str(self.now).encode()
        if verb == self.garbled:
            return b"Traceback"
        return json.dumps(self._ledger() if verb == "ledger" else self._digest(verb)).encode()

    def _events(self) -> list[tuple[str, str, int]]:
        return [(f"t|BTCUSDT|{n}", f"{n:016x}", START + 11 * SECOND + n) for n in range(1, 1501)]

    def _ledger(self) -> dict[str, object]:
        events = [[key, value, at, 0, "ws"] for key, value, at in self._events()]
        return {"first_ns": START, "last_ns": START, "lines": [], "events": events}

    def _digest(self, where: str) -> dict[str, object]:
        self.looks += where == "parquet"
        late = self.settles and self.looks >= 3
        events = [[key, value, at, "ws"] for key, value, at in self._events()]
        return {
            "source": "edge",
            "where": where,
            "first_ns": START,
            "last_ns": self.now + 60 * SECOND if late else START,
            "epochs": [1],
            "records": 1500,
            "duplicates": 0,
            "events": events,
            "gaps": [],
            "unparsed": 0,
        }


def test_a_window_waits_for_the_store_and_accounts_for_every_event() -> None:
    hosts = Hosts()
    result = prove_data(load_stack("lab-edge"), hosts, seconds=0)
    assert result.green
    assert (result.ledger.sent, result.ledger.stored) == (1500, 1500)
    assert hosts.looks == 4  # three until it passed the end, one for the whole window
    assert {("edge", "journal"), ("brain", "parquet"), ("exchange", "ledger")} <= set(hosts.asked)


def test_faults_are_made_inside_the_window() -> None:
    hosts = Hosts()

    def cut() -> Sequence[Fault]:
        assert hosts.now > START
        return (Fault("cut", hosts.now, hosts.now + SECOND),)

    assert prove_data(load_stack("lab-edge"), hosts, 0, faults=cut).ledger.fault_seconds == 1.0


def test_a_live_venue_has_no_ledger_to_ask() -> None:
    hosts = Hosts()
    result = prove_data(load_stack("lab-edge"), hosts, 0, live=True)
    assert result.ledger.sent == 1500
    assert ("exchange", "ledger") not in hosts.asked


@pytest.mark.parametrize(("what", "host"), [("journal", "edge"), ("parquet", "brain"), ("ledger", "exchange")])
def test_an_account_that_cannot_be_read_names_its_host(what: str, host: str) -> None:
    with pytest.raises(HostError) as caught:
        prove_data(load_stack("lab-edge"), Hosts(garbled=what), 0)
    assert caught.value.where == host


def test_a_store_that_stands_still_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("himari.proof.window.PATIENCE_SECONDS", -1000)
    with pytest.raises(HostError, match="did not pass the window's end") as caught:
        prove_data(load_stack("lab-edge"), Hosts(settles=False), 0)
    assert caught.value.where == "brain"


@pytest.mark.parametrize(
    ("command", "of_window"),
    [
        ("/usr/local/sbin/himari-agent date +%s%N", True),
        ("/usr/local/sbin/himari-agent himari-runtime digest", True),
        ("/opt/himari/exchange/bin/himari-exchange ledger --json", True),
        ("/usr/local/sbin/himari-agent journalctl -q", True),
        ("/usr/bin/ping -q -c 1 -W 2 10.77.0.1", True),
        ("/usr/local/sbin/himari-agent python3 -", False),
        ("/usr/bin/apt-get update", False),
        ("/usr/bin/sh -c 'systemctl restart himari-runtime-collector", False),
    ],
)
def test_commands_of_a_window_are_told_from_others(command: str, of_window: bool) -> None:
    assert is_of_window(command) is of_window
