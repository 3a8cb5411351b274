"""The comparer stays green for a true account and turns red for each planted error."""

from collections.abc import Callable
from functools import cache

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from himari.proof.accounts import Digest, ExchangeLedger, Fault, Gap, Held, Sent, Window
from himari.proof.evidence import Status
from himari.proof.ledger import LedgerResult, compare

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
COUNT = 600  # events of each channel, ten a second
FAULT = Fault("cut", START + 20 * SECOND, START + 24 * SECOND)


class World(msgspec.Struct, frozen=True):
    """A window of 60 s with a cut of 4 s in which 40 events of each channel were missed."""

    exchange: ExchangeLedger
    journal: Digest
    stored: Digest
    window: Window

    def verdict(self) -> LedgerResult:
        return compare(self.exchange, self.journal, self.stored, self.window)


def sent_events() -> list[Sent]:
    events = []
    for number in range(1, COUNT + 1):
        at = START + number * SECOND // 10
        keys = (f"t|BTCUSDT|{number}", f"d|BTCUSDT|{number * 10 - 9}|{number * 10}", f"b|BTCUSDT|{number * 7}")
        events += [Sent(key, f"{index}{number:015x}", at, 0, "ws") for index, key in enumerate(keys)]
    return events


def gap(channel: str, after_id: int, before_id: int, *, filled: bool = False) -> Gap:
    after_ns, before_ns = START + 200 * SECOND // 10, START + 241 * SECOND // 10
    return Gap("binance", "BTC/USDT", channel, after_id, before_id, after_ns, before_ns, "reconnect", filled)


GAPS = [gap("trade", 200, 241), gap("depth", 2000, 2401), gap("book_ticker", 1400, 1687)]


def held_events(sent: list[Sent]) -> list[Held]:
    return [Held(one.key, one.digest, one.sent_ns + 1_000_000, one.how) for one in sent]


def digest(events: list[Held], gaps: list[Gap]) -> Digest:
    return Digest("edge", "parquet", START, START + 70 * SECOND, len(events), 0, events, gaps)


@cache
def world(*, cut: bool = True) -> World:
    sent = sent_events()
    missed = set(range(201, 241)) if cut else set()
    kept = [one for index, one in enumerate(sent) if index // 3 + 1 not in missed]
    held = digest(held_events(kept), GAPS if cut else [])
    window = Window(START, START + 61 * SECOND, (FAULT,) if cut else ())
    return World(ExchangeLedger(START, START + 61 * SECOND, [], sent), held, held, window)


def failed(result: LedgerResult) -> set[str]:
    return {check.id.removeprefix("ledger.") for check in result.checks if check.status is Status.FAILED}


def store(given_world: World, events: list[Held] | None = None, gaps: list[Gap] | None = None) -> World:
    stored = given_world.stored
    changed = msgspec.structs.replace(
        stored, events=stored.events if events is None else events, gaps=stored.gaps if gaps is None else gaps
    )
    return msgspec.structs.replace(given_world, stored=changed)


def test_a_calm_window_is_green_and_accounts_for_every_event() -> None:
    result = world(cut=False).verdict()
    assert failed(result) == set()
    ledger = result.ledger
    assert (ledger.sent, ledger.journaled, ledger.stored) == (1800, 1800, 1800)
    assert (ledger.lost, ledger.invented, ledger.gaps, ledger.gaps_undisclosed) == (0, 0, 0, 0)


def test_a_disclosed_cut_is_green_and_its_events_are_counted() -> None:
    result = world().verdict()
    assert failed(result) == set()
    assert (result.ledger.stored, result.ledger.events_in_gaps, result.ledger.gaps) == (1680, 120, 3)
    assert result.ledger.gap_seconds == pytest.approx(12.3)
    assert result.ledger.fault_seconds == 4.0


def test_a_gap_before_the_window_still_discloses_the_break_that_the_accounts_show() -> None:
    whole = world()
    later = Window(START + 30 * SECOND, whole.window.end_ns)
    result = msgspec.structs.replace(whole, window=later).verdict()
    assert failed(result) == {"enough"}
    assert (result.ledger.gaps, result.ledger.gaps_undisclosed) == (0, 0)


@settings(max_examples=20, deadline=None)
@given(index=st.integers(0, 1679))
def test_a_record_deleted_is_lost(index: int) -> None:
    whole = world()
    result = store(whole, [*whole.stored.events[:index], *whole.stored.events[index + 1 :]]).verdict()
    assert result.ledger.lost == 1
    assert "lost" in failed(result)


@settings(max_examples=20, deadline=None)
@given(index=st.integers(0, 1679))
def test_a_record_altered_is_lost_and_invented(index: int) -> None:
    whole = world()
    events = list(whole.stored.events)
    events[index] = msgspec.structs.replace(events[index], digest="f" * 16)
    result = store(whole, events).verdict()
    assert (result.ledger.lost, result.ledger.invented) == (1, 1)
    assert {"lost", "invented"} <= failed(result)


@settings(max_examples=20, deadline=None)
@given(kind=st.sampled_from(["t|BTCUSDT|{}", "d|BTCUSDT|{}|{}", "b|BTCUSDT|{}"]), number=st.integers(10_000, 2**40))
def test_a_record_added_is_invented(kind: str, number: int) -> None:
    whole = world()
    extra = Held(kind.format(number, number), "0" * 16, START + 30 * SECOND, "ws")
    result = store(whole, [*whole.stored.events, extra]).verdict()
    assert result.ledger.invented == 1
    assert "invented" in failed(result)


def test_a_record_number_stored_twice_is_a_duplicate() -> None:
    whole = world()
    twice = msgspec.structs.replace(whole.stored, duplicates=1)
    result = msgspec.structs.replace(whole, stored=twice).verdict()
    assert (result.ledger.duplicates, failed(result)) == (1, {"duplicates"})


@settings(max_examples=20, deadline=None)
@given(index=st.integers(0, 1679))
def test_an_event_stored_more_often_than_it_was_sent_is_a_duplicate(index: int) -> None:
    whole = world()
    result = store(whole, [*whole.stored.events, whole.stored.events[index]]).verdict()
    assert result.ledger.duplicates == 1
    assert "duplicates" in failed(result)


def test_what_the_venue_repeats_is_no_duplicate_of_ours_and_neither_is_a_backfill() -> None:
    whole = world()
    resent = msgspec.structs.replace(whole.exchange.events[0], line=1)
    exchange = msgspec.structs.replace(whole.exchange, events=[*whole.exchange.events, resent])
    repeated, backfilled = whole.stored.events[0], msgspec.structs.replace(whole.stored.events[3], how="rest")
    seen = store(whole, [*whole.stored.events, repeated, backfilled])
    result = msgspec.structs.replace(seen, exchange=exchange).verdict()
    assert (result.ledger.duplicates, failed(result)) == (0, set())


WIDEN: list[Callable[[Gap, int], Gap]] = [
    lambda one, by: msgspec.structs.replace(one, after_id=(one.after_id or 0) - by),
    lambda one, by: msgspec.structs.replace(one, before_id=(one.before_id or 0) + by),
]


@pytest.mark.parametrize("which", range(3), ids=["trade", "depth", "book_ticker"])
@pytest.mark.parametrize("widen", WIDEN, ids=["at its start", "at its end"])
@settings(max_examples=8, deadline=None)
@given(by=st.integers(1, 900))
def test_a_gap_widened_is_not_tight(which: int, widen: Callable[[Gap, int], Gap], by: int) -> None:
    gaps = list(GAPS)
    gaps[which] = widen(gaps[which], by)
    assert "tight" in failed(store(world(), gaps=gaps).verdict())


@pytest.mark.parametrize("which", range(3), ids=["trade", "depth", "book_ticker"])
def test_a_gap_removed_turns_its_events_into_losses(which: int) -> None:
    result = store(world(), gaps=[one for index, one in enumerate(GAPS) if index != which]).verdict()
    assert result.ledger.lost == 40
    assert "lost" in failed(result)
    dense = which < 2
    assert ("disclosed" in failed(result)) is dense
    assert result.ledger.gaps_undisclosed == int(dense)


def test_a_gap_without_a_fault_is_not_explained() -> None:
    calm = msgspec.structs.replace(world(), window=Window(START, START + 61 * SECOND))
    assert failed(calm.verdict()) >= {"explained"}


def test_a_gap_longer_than_its_fault_and_the_grace_is_not_explained() -> None:
    late = [msgspec.structs.replace(one, before_ns=FAULT.end_ns + 6 * SECOND) for one in GAPS]
    late = [msgspec.structs.replace(one, after_ns=FAULT.start_ns) for one in late]
    assert "explained" in failed(store(world(), gaps=late).verdict())


def explained(fault: Fault, *others: Fault, lasts: int) -> bool:
    """Whether gaps that last so many seconds from the first fault's beginning are its price."""
    end_ns = fault.start_ns + lasts * SECOND
    gaps = [msgspec.structs.replace(one, after_ns=fault.start_ns, before_ns=end_ns) for one in GAPS]
    window = Window(START, START + 61 * SECOND, (fault, *others))
    whole = store(world(), gaps=gaps)
    return "explained" not in failed(compare(whole.exchange, whole.journal, whole.stored, window))


@pytest.mark.parametrize(("lasts", "explains"), [(20, True), (21, False), (74, False)])
def test_how_slowly_a_system_recovers_excuses_no_gap(lasts: int, explains: bool) -> None:
    held = Fault("certificate", START, START + 15 * SECOND, served_ns=START + 60 * SECOND)
    assert explained(held, lasts=lasts) is explains


@pytest.mark.parametrize(("lasts", "explains"), [(5, True), (9, False)])
def test_a_fault_without_length_explains_the_grace_alone(lasts: int, explains: bool) -> None:
    assert explained(Fault("cut", START, START, served_ns=START + 9 * SECOND), lasts=lasts) is explains


def test_faults_that_a_gap_touches_do_not_add_up() -> None:
    one, two = (Fault(name, START, START + 6 * SECOND) for name in ("one", "two"))
    assert explained(one, two, lasts=11)
    assert not explained(one, two, lasts=12)


def test_what_is_missing_until_all_works_again_is_no_calm_share() -> None:
    slow = msgspec.structs.replace(FAULT, end_ns=FAULT.start_ns, served_ns=FAULT.end_ns)
    lost = [one for one in world().stored.events if not START < one.received_ns < START + 29 * SECOND]
    for fault, share in ((slow, True), (msgspec.structs.replace(slow, served_ns=None), False)):
        window = Window(START + 20 * SECOND, START + 61 * SECOND, (fault,))
        result = compare(world().exchange, world().journal, store(world(), lost).stored, window)
        assert ("share" not in failed(result)) is share


def test_a_backfilled_gap_excuses_nothing_and_needs_no_fault() -> None:
    whole = world(cut=False)
    backfilled = [
        msgspec.structs.replace(one, how="rest", received_ns=START + 25 * SECOND)
        if one.key in {f"t|BTCUSDT|{number}" for number in range(201, 241)}
        else one
        for one in whole.stored.events
    ]
    gaps = [GAPS[0], gap("trade", 200, 241, filled=True)]
    assert failed(store(whole, backfilled, gaps).verdict()) == set()
    without = [one for one in backfilled if one.key != "t|BTCUSDT|220"]
    assert failed(store(whole, without, gaps).verdict()) >= {"lost", "disclosed"}


def test_a_late_copy_of_a_reordered_frame_does_not_make_its_gap_loose() -> None:
    whole = world(cut=False)
    late = [
        msgspec.structs.replace(one, received_ns=one.received_ns + 15 * SECOND // 100)
        if one.key == "d|BTCUSDT|2001|2010"
        else one
        for one in whole.stored.events
    ]
    at = START + 201 * SECOND // 10
    swapped = Gap("binance", "BTC/USDT", "depth", 2000, 2011, at, at + SECOND // 10, "sequence")
    window = Window(START, START + 61 * SECOND, (Fault("reorder", at, at + SECOND),))
    result = compare(whole.exchange, whole.journal, store(whole, late, [swapped]).stored, window)
    assert failed(result) == set()


def test_a_start_gap_that_ended_before_the_window_does_not_count() -> None:
    start = Gap("binance", "BTC/USDT", "depth", None, 1, None, START - SECOND, "start")
    result = store(world(cut=False), gaps=[start]).verdict()
    assert failed(result) == set()
    assert result.ledger.gaps == 0


def test_numbers_that_began_anew_are_no_break() -> None:
    whole = world(cut=False)
    old = [Held(f"t|BTCUSDT|{number}", "0" * 16, START - SECOND, "ws") for number in range(10**15, 10**15 + 9)]
    assert failed(store(whole, [*old, *whole.stored.events]).verdict()) == set()


def test_too_few_events_are_no_proof() -> None:
    short = msgspec.structs.replace(world(cut=False), window=Window(START, START + 10 * SECOND))
    assert failed(short.verdict()) == {"enough"}


def test_a_gap_cannot_excuse_more_than_a_twentieth_of_a_calm_window() -> None:
    whole = world(cut=False)
    kept = [one for one in whole.stored.events if one.received_ns < START + 20 * SECOND]
    kept += [one for one in whole.stored.events if one.received_ns > START + 24.2 * SECOND]
    result = store(whole, kept, GAPS).verdict()
    assert {"share", "explained"} <= failed(result)


def test_without_an_exchange_the_journal_and_the_dense_ids_are_the_account() -> None:
    whole = world(cut=False)
    assert failed(compare(None, whole.journal, whole.stored, whole.window)) == set()
    hole = [one for one in whole.stored.events if one.key != "t|BTCUSDT|300"]
    assert failed(compare(None, whole.journal, store(whole, hole).stored, whole.window)) == {"lost", "disclosed"}
    never_came = store(whole, hole)
    journal = msgspec.structs.replace(whole.journal, events=hole)
    assert failed(compare(None, journal, never_came.stored, whole.window)) == {"disclosed"}


def test_a_finding_names_what_is_lost() -> None:
    whole = world(cut=False)
    result = store(whole, [one for one in whole.stored.events if one.key != "t|BTCUSDT|300"]).verdict()
    lost = next(check for check in result.checks if check.id == "ledger.lost")
    assert lost.reason == "t|BTCUSDT|300"


def test_a_source_that_has_ended_is_told_with_what_starts_it_again() -> None:
    true = world(cut=False)
    again = msgspec.structs.replace(true.window, again="himari up tokyo --recording PATH", minimum_events=10**6)
    for last_ns in (None, true.window.end_ns - 20 * SECOND):
        exchange = msgspec.structs.replace(true.exchange, last_ns=last_ns)
        result = msgspec.structs.replace(true, exchange=exchange, window=again).verdict()
        [enough] = [check for check in result.checks if check.id == "ledger.enough"]
        assert "silent at the end" in enough.reason
        assert "himari up tokyo --recording PATH" in enough.reason
    busy = msgspec.structs.replace(true.exchange, last_ns=true.window.end_ns)
    result = msgspec.structs.replace(true, exchange=busy, window=again).verdict()
    [enough] = [check for check in result.checks if check.id == "ledger.enough"]
    assert enough.reason.endswith("take a longer window")
