"""The ledger proof: set arithmetic over what the exchange sent and what the hosts hold. Nothing here does I/O."""

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from himari.proof.accounts import Digest, ExchangeLedger, Gap, Held, Key, Sent, Window
from himari.proof.course import Course, course_of
from himari.proof.evidence import Check, Ledger, Severity, Status
from himari.proof.gaps import GRACE_NS, HeldKeys, by_place, excess, judged, looseness, still_open, undisclosed
from himari.proof.streams import Pair, by_stream

SILENCE_NS = 10 * 10**9
STORED_SHARE = 0.95  # of what was sent outside of faults
PHASE = "ledger"
TAKEN = f"{PHASE}.taken"  # the check that fails when there is no account


class LedgerResult(msgspec.Struct, frozen=True):
    """The account, and each rule's verdict as a check."""

    ledger: Ledger
    checks: tuple[Check, ...]
    gaps: tuple[Gap, ...] = ()  # those of the window, also where a backfill closed them later
    course: Course | None = None

    @property
    def green(self) -> bool:
        return all(check.status is Status.PASSED for check in self.checks)


def compare(exchange: ExchangeLedger | None, journal: Digest, stored: Digest, window: Window) -> LedgerResult:
    """Judge one window.

    `exchange` must reach beyond the window on both sides, `stored` to its end and beyond. Without an exchange of ours
    (None: a real venue) what the journal holds takes its place, and the venue's dense ids say what never came."""
    account = exchange or as_ledger(journal)
    sent = [event for event in account.events if window.start_ns <= event.sent_ns <= window.end_ns]
    wanted, known = _pairs(sent), _pairs(account.events)
    have = _pairs(stored.events)
    held = by_place(stored)
    gaps = judged(stored.gaps, window)
    opened = still_open(gaps)
    missing = wanted - have
    excused = {pair for pair in missing if _excused(pair[0], opened)}
    lost = missing - excused
    invented = _pairs(_received_in(stored.events, window)) - known
    repeated = _stored_too_often(_received_in(stored.events, window), account.events)
    # A gap that ended before the window still names what is missing in the margin that was read with it.
    breaks = list(undisclosed(held, still_open(list(dict.fromkeys(stored.gaps)))))
    ledger = Ledger(
        sent=len(wanted),
        journaled=len(wanted & _pairs(journal.events)),
        stored=len(wanted & have),
        lost=len(lost),
        invented=len(invented),
        duplicates=stored.duplicates + len(repeated),
        gaps=sum(not gap.filled for gap in gaps),
        gaps_undisclosed=len(breaks),
        events_in_gaps=len(excused),
        gap_seconds=round(sum(gap.seconds for gap in opened), 3),
        fault_seconds=round(sum(fault.seconds for fault in window.faults), 3),
        streams=by_stream(
            wanted, journaled=wanted & _pairs(journal.events), stored=wanted & have, in_gaps=excused, lost=lost
        ),
    )
    checks = (
        _rule("lost", "every event sent is stored with equal content, or inside a disclosed gap", _keys(lost)),
        _rule("invented", "nothing is stored that was never sent", _keys(invented)),
        _rule("duplicates", "nothing is stored more often than it came", _repeated(stored.duplicates, repeated)),
        _rule("disclosed", "each break in the venue's sequence is covered by a gap", breaks),
        _rule("tight", "a gap claims no more than what is missing", _loose(gaps, held, stored)),
        _rule("explained", "a gap lasts no longer than the fault that made it plus 5 s", _unexplained(opened, window)),
        _enough(len(wanted), window, exchange is not None and _has_ended(exchange, window)),
        _share(sent, have, window),
    )
    holes = tuple(gap for gap in gaps if not gap.filled)
    return LedgerResult(ledger, checks, holes, course_of(exchange, journal, stored, window, holes))


def as_ledger(journal: Digest) -> ExchangeLedger:
    """What the journal holds, in the place of an exchange's ledger."""
    events = [Sent(held.key, held.digest, held.received_ns, 0, held.how) for held in journal.events]
    return ExchangeLedger(journal.first_ns, journal.last_ns, [], events)


def _pairs(events: Iterable[Sent | Held]) -> set[Pair]:
    return {(event.key, event.digest) for event in events}


def _received_in(events: Iterable[Held], window: Window) -> list[Held]:
    return [event for event in events if window.start_ns <= event.received_ns <= window.end_ns]


def _stored_too_often(held: Sequence[Held], sent: Sequence[Sent]) -> list[str]:
    """Keys of streamed events, once for each copy too many; a venue that sends twice is stored twice."""
    came = Counter((event.key, event.digest) for event in sent if event.how == "ws")
    have = Counter((event.key, event.digest) for event in held if event.how == "ws")
    # What never came is invented, not repeated.
    return sorted(key for key, content in (have - came).elements() if (key, content) in came)


def _repeated(records: int, events: list[str]) -> list[str]:
    """What is against the rule, in words."""
    return ([f"{records} record numbers are stored twice"] if records else []) + events


def _excused(key: str, gaps: Sequence[Gap]) -> bool:
    parsed = Key.parse(key)
    return any(gap.covers(parsed) for gap in gaps)


def _keys(pairs: set[Pair]) -> list[str]:
    return sorted(key for key, _ in pairs)


def _named(gap: Gap) -> str:
    return f"{gap.channel} {gap.symbol} {gap.after_id} to {gap.before_id} ({gap.reason})"


def _loose(gaps: Sequence[Gap], held: HeldKeys, stored: Digest) -> list[str]:
    found = ((gap, looseness(gap, held, stored)) for gap in gaps if not gap.filled)
    return [f"{_named(gap)} {why}" for gap, why in found if why]


def _unexplained(opened: Sequence[Gap], window: Window) -> list[str]:
    found = ((gap, excess(gap, window)) for gap in opened)
    return [f"{_named(gap)} {why}" for gap, why in found if why]


def _enough(sent: int, window: Window, ended: bool) -> Check:
    few = sent < window.minimum_events
    mend = f"it was silent at the end, as after a recording: {window.again}" if ended else "take a longer window"
    reason = f"{sent} events were sent, at least {window.minimum_events} make a proof: {mend}"
    return _check(
        "enough", f"the window holds at least {window.minimum_events} events", str(sent), reason if few else ""
    )


def _has_ended(account: ExchangeLedger, window: Window) -> bool:
    """Whether the exchange fell silent before the window did: no market is quiet for so long."""
    return account.last_ns is None or account.last_ns < window.end_ns - SILENCE_NS


def _share(sent: Sequence[Sent], have: set[Pair], window: Window) -> Check:
    calm = _pairs(event for event in sent if not _in_fault(event, window))
    share = len(calm & have) / len(calm) if calm else 1.0
    reason = f"only {share:.1%} of {len(calm)} events sent outside of faults are stored"
    says = f"at least {STORED_SHARE:.0%} of what was sent outside of faults is stored"
    return _check("share", says, f"{share:.2%}", reason if share < STORED_SHARE else "")


def _in_fault(event: Sent, window: Window) -> bool:
    return any(fault.start_ns <= event.sent_ns <= fault.end_ns + GRACE_NS for fault in window.faults)


def _rule(name: str, says: str, offenders: Sequence[str]) -> Check:
    shown = "; ".join(offenders[:5])
    more = f"; and {len(offenders) - 5} more" if len(offenders) > 5 else ""
    return _check(name, says, f"{len(offenders)} against it" if offenders else "none against it", shown + more)


def _check(name: str, says: str, observed: str, reason: str) -> Check:
    return Check(
        id=f"ledger.{name}",
        phase=PHASE,
        host="stack",
        says=says,
        severity=Severity.CRITICAL,
        observed=observed,
        status=Status.FAILED if reason else Status.PASSED,
        reason=reason,
    )
