"""One window of the ledger proof, taken from running hosts."""

import re
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from himari.catalog.hostpaths import COLLECTOR_SETTINGS, CONSUMER_SETTINGS, EXCHANGE, EXCHANGE_SETTINGS, RUNTIME
from himari.proof.accounts import Digest, ExchangeLedger, Fault, Window
from himari.proof.ledger import LedgerResult, compare
from himari.proof.probe import Runner
from himari.stack.errors import HostError
from himari.stack.model import Role, Stack

SECOND = 1_000_000_000
MARGIN_NS = 30 * SECOND  # how far the accounts reach beyond the window
PATIENCE_SECONDS = 45  # beyond a flush, until the brain's store has passed the window's end
POLL_SECONDS = 1.0
CLOCK = ("date", "+%s%N")
# Its accounts and its clock, the tunnel that the wait before it tries, the logs that are put beside it.
COMMANDS = re.compile(r"(?<![\w-])(himari-runtime|himari-exchange|date|ping|journalctl -q)(?![\w-])")
NAMED_LENGTH = 60  # of a command that is looked at: its program, its first words

T = TypeVar("T")
Say = Callable[[str], None]
Faults = Sequence[Fault] | Callable[[], Sequence[Fault]]


def prove_data(
    stack: Stack,
    run: Runner,
    seconds: float,
    minimum_events: int = 1000,
    faults: Faults = (),
    *,
    live: bool = False,
    say: Say = lambda _: None,
) -> LedgerResult:
    """Account for every event of a window that begins now.

    `faults` is what is done to the system meanwhile, or a function that does it and tells. Raises HostError when an
    account cannot be had, or when the brain's store does not pass the window's end in time."""
    edge, brain = stack.hosts_with(Role.EDGE)[0], stack.hosts_with(Role.BRAIN)[0]
    exchanges = () if live else stack.hosts_with(Role.EXCHANGE)
    clock = exchanges[0] if exchanges else edge
    start = _now(run, clock)
    say(f"ledger: a window of {seconds:.0f} s")
    done = tuple(faults() if callable(faults) else faults)
    time.sleep(max(0.0, seconds - (_now(run, clock) - start) / SECOND))
    end = _now(run, clock)
    again = f"himari up {stack.name} --recording PATH starts one again, himari up {stack.name} the seeded market"
    window = Window(start, end, done, minimum_events, again)
    say("ledger: waiting for the brain's store to pass the window's end")
    stored = _settled(stack, run, brain, window)
    journal = digest(run, edge, "journal", start - MARGIN_NS, end + MARGIN_NS)
    account = exchange_ledger(run, exchanges[0], start - MARGIN_NS, end + MARGIN_NS) if exchanges else None
    return compare(account, journal, stored, window)


def is_of_window(command: str) -> bool:
    """Whether a command that root ran on a host, as sudo's journal names it, is a window's, its wait's or its logs'."""
    return COMMANDS.search(command[:NAMED_LENGTH]) is not None


def digest(run: Runner, host: str, where: str, from_ns: int, to_ns: int) -> Digest:
    """What `host` holds; raises HostError when it does not say it in the agreed form."""
    settings = COLLECTOR_SETTINGS if where == "journal" else CONSUMER_SETTINGS
    argv = (RUNTIME, "digest", "--json", "--settings", settings, "--where", where, *_range(from_ns, to_ns))
    return _decoded(run(host, argv), Digest, host, "digest")


def exchange_ledger(run: Runner, host: str, from_ns: int, to_ns: int) -> ExchangeLedger:
    """What the exchange sent; raises as `digest` does."""
    argv = (EXCHANGE, "ledger", "--json", "--settings", EXCHANGE_SETTINGS, *_range(from_ns, to_ns))
    return _decoded(run(host, argv), ExchangeLedger, host, "ledger")


def _settled(stack: Stack, run: Runner, brain: str, window: Window) -> Digest:
    """The brain's digest once it has passed the window's end: heartbeats see to it that something does."""
    deadline = time.monotonic() + stack.retention.parquet_flush_seconds + PATIENCE_SECONDS
    while True:
        # The last second of the range tells whether the store got there, without reading all of the window each time.
        late = digest(run, brain, "parquet", window.end_ns, window.end_ns + MARGIN_NS * 100)
        if late.last_ns is not None and late.last_ns > window.end_ns + SECOND:
            return digest(run, brain, "parquet", window.start_ns - MARGIN_NS, window.end_ns + MARGIN_NS)
        if time.monotonic() > deadline:
            raise HostError(
                "the store did not pass the window's end: nothing newer is stored",
                brain,
                f"a newer record within {stack.retention.parquet_flush_seconds + PATIENCE_SECONDS} s",
                f"himari status {stack.name} shows where the data stands",
            )
        time.sleep(POLL_SECONDS)


def _now(run: Runner, host: str) -> int:
    return int(run(host, CLOCK))


def _range(from_ns: int, to_ns: int) -> tuple[str, ...]:
    return "--from-ns", str(from_ns), "--to-ns", str(to_ns)


def _decoded(answer: bytes, kind: type[T], host: str, name: str) -> T:
    try:
        return msgspec.json.decode(answer, type=kind)
    except msgspec.DecodeError as error:
        raise HostError(
            f"its {name} cannot be read: {error}", host, f"one JSON object; it began {answer[:80]!r}"
        ) from None
