"""What a proof found otherwise than the one before it. Pure, but for the file that keeps that one."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from himari.proof.evidence import Check, Evidence, Ledger, Status, read_evidence

NOTABLE = 0.1  # a figure moved when it did by more than this share


class Turned(msgspec.Struct, frozen=True, kw_only=True):
    """A check that ended otherwise; "" when one of the two had no such check."""

    check: Check
    before: str
    after: str

    @property
    def worse(self) -> bool:
        return self.after == Status.FAILED


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """A figure, before and after; `share` is the change as a part of what it was, None when that was nothing."""

    name: str
    before: float
    after: float
    share: float | None


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """From the run that began at `since` to this one."""

    since: str
    verdict: tuple[bool, bool]  # green then, and now
    turned: list[Turned]
    moved: list[Moved]
    versions: list[tuple[str, str, str]]  # name, before, after

    @property
    def empty(self) -> bool:
        return not (self.turned or self.moved or self.versions)


def previous(path: Path) -> Path:
    """Where the evidence that `path` replaced is kept."""
    return path.with_suffix(".previous.json")


def keep_previous(path: Path) -> None:
    """Keep the evidence at `path`, if there is any, as that of the run before."""
    if path.exists():
        path.replace(previous(path))


def read_previous(path: Path) -> Evidence | None:
    """The evidence of the run before `path`'s; None when there is none that can be read."""
    try:
        return read_evidence(previous(path))
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def difference(before: Evidence, after: Evidence) -> Difference:
    """What changed: verdicts of checks, figures by more than a tenth, versions, commit and input."""
    old, new = _made_on(before), _made_on(after)
    names = dict.fromkeys([*old, *new])
    return Difference(
        since=before.started,
        verdict=(before.green, after.green),
        turned=list(_turned(before, after)),
        moved=list(_moved(_figures(before), _figures(after))),
        versions=[(name, old.get(name, ""), new.get(name, "")) for name in names if old.get(name) != new.get(name)],
    )


def _made_on(evidence: Evidence) -> dict[str, str]:
    commit = f"{evidence.commit or 'none'}{' with changes' if evidence.dirty else ''}"
    return {"input": evidence.feed.says, "commit": commit, **evidence.versions}


def _turned(before: Evidence, after: Evidence) -> Iterator[Turned]:
    old, new = ({(one.host, one.id): one for one in evidence.checks} for evidence in (before, after))
    for place in dict.fromkeys([*new, *old]):
        was, now = old.get(place), new.get(place)
        shown = now or was
        if shown and (was is None or now is None or was.status is not now.status):
            yield Turned(check=shown, before=_status(was), after=_status(now))


def _status(check: Check | None) -> str:
    return check.status.value if check else ""


def _figures(evidence: Evidence) -> dict[str, float]:
    """All figures that are compared, by what the page calls them."""
    found: dict[str, float] = {"the proof took, s": evidence.seconds}
    if evidence.ledger:
        skipped = {"streams"}
        names = [name for name in Ledger.__struct_fields__ if name not in skipped]
        found |= {f"ledger: {name.replace('_', ' ')}": float(getattr(evidence.ledger, name)) for name in names}
    if evidence.course:
        for delay in evidence.course.delays:
            found |= {f"{delay.way}, {name}, ms": getattr(delay, name) for name in ("p50", "p99")}
    for drill in evidence.drills:
        if drill.recovery_seconds:
            name = f"drill {drill.name}, s"
            found[name] = max(drill.recovery_seconds, found.get(name, 0.0))
    return found


def _moved(before: dict[str, float], after: dict[str, float]) -> Iterator[Moved]:
    for name, now in after.items():
        was = before.get(name)
        if was is None or was == now:
            continue
        share = (now - was) / was if was else None
        if share is None or abs(share) > NOTABLE:
            yield Moved(name=name, before=was, after=now, share=share)
