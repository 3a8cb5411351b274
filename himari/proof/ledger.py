"""The ledger proof: what the exchange sent against what the hosts hold, by rule. Nothing here does I/O."""

from collections.abc import Sequence

import msgspec

from himari.proof.accounts import Digest, ExchangeLedger, Gap, Sent, Window
from himari.proof.course import Course, course_of
from himari.proof.evidence import Check, Ledger, Severity, Status
from himari.proof.findings import Findings, findings, pairs
from himari.proof.gaps import excess, looseness
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
    found = findings(exchange or as_ledger(journal), journal, stored, window)
    ended = exchange is not None and _has_ended(exchange, window)
    holes = tuple(gap for gap in found.gaps if not gap.filled)
    return LedgerResult(
        _account(found, stored, window),
        _verdicts(found, stored, window, ended),
        holes,
        course_of(exchange, journal, stored, window, holes),
    )


def _account(found: Findings, stored: Digest, window: Window) -> Ledger:
    return Ledger(
        sent=len(found.wanted),
        journaled=len(found.journaled),
        stored=len(found.stored),
        lost=len(found.lost),
        invented=len(found.invented),
        duplicates=stored.duplicates + len(found.repeated),
        gaps=sum(not gap.filled for gap in found.gaps),
        gaps_undisclosed=len(found.breaks),
        events_in_gaps=len(found.excused),
        gap_seconds=round(sum(gap.seconds for gap in found.opened), 3),
        fault_seconds=round(sum(fault.seconds for fault in window.faults), 3),
        streams=by_stream(
            found.wanted, journaled=found.journaled, stored=found.stored, in_gaps=found.excused, lost=found.lost
        ),
    )


def _verdicts(found: Findings, stored: Digest, window: Window, ended: bool) -> tuple[Check, ...]:
    loose, unexplained = _loose(found, stored), _unexplained(found.opened, window)
    repeated = _repeated(stored.duplicates, found.repeated)
    return (
        _rule("lost", "every event sent is stored with equal content, or inside a disclosed gap", _keys(found.lost)),
        _rule("invented", "nothing is stored that was never sent", _keys(found.invented)),
        _rule("duplicates", "nothing is stored more often than it came", repeated),
        _rule("disclosed", "each break in the venue's sequence is covered by a gap", found.breaks),
        _rule("tight", "a gap claims no more than what is missing", loose),
        _rule(
            "explained",
            "a gap lasts no longer than the fault that made it plus 5 s",
            unexplained,
        ),
        _enough(len(found.wanted), window, ended),
        _share(found, window),
    )


def as_ledger(journal: Digest) -> ExchangeLedger:
    """What the journal holds, in the place of an exchange's ledger."""
    events = [Sent(held.key, held.digest, held.received_ns, 0, held.how) for held in journal.events]
    return ExchangeLedger(journal.first_ns, journal.last_ns, [], events)


def _repeated(records: int, events: list[str]) -> list[str]:
    """What is against the rule, in words."""
    return ([f"{records} record numbers are stored twice"] if records else []) + events


def _keys(events: set[Pair]) -> list[str]:
    return sorted(key for key, _ in events)


def _named(gap: Gap) -> str:
    return f"{gap.channel} {gap.symbol} {gap.after_id} to {gap.before_id} ({gap.reason})"


def _loose(found: Findings, stored: Digest) -> list[str]:
    judged = ((gap, looseness(gap, found.held, stored)) for gap in found.gaps if not gap.filled)
    return [f"{_named(gap)} {why}" for gap, why in judged if why]


def _unexplained(opened: Sequence[Gap], window: Window) -> list[str]:
    judged = ((gap, excess(gap, window)) for gap in opened)
    return [f"{_named(gap)} {why}" for gap, why in judged if why]


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


def _share(found: Findings, window: Window) -> Check:
    calm = pairs(event for event in found.sent if not _in_fault(event, window))
    share = len(calm & found.stored) / len(calm) if calm else 1.0
    reason = f"only {share:.1%} of {len(calm)} events sent outside of faults are stored"
    says = f"at least {STORED_SHARE:.0%} of what was sent outside of faults is stored"
    return _check("share", says, f"{share:.2%}", reason if share < STORED_SHARE else "")


def _in_fault(event: Sent, window: Window) -> bool:
    return any(fault.disturbs(event.sent_ns) for fault in window.faults)


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
