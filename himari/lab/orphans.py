"""Labs that no stack's command reaches any more, as their checkout or its state is gone."""

from pathlib import Path

import msgspec

from himari.lab import network, reclaim
from himari.lab.identity import Lab, all_labs, find_record
from himari.lab.lock import held
from himari.stack.errors import LockedError

PATIENCE_S = 0.5  # a lab that somebody brings up just now is none


class Orphan(msgspec.Struct, frozen=True, kw_only=True):
    """A lab to remove, and why nothing else would."""

    lab: str
    reason: str


def why_orphaned(lab: Lab) -> str:
    """Why no command of a stack finds `lab`; empty when one does."""
    record = find_record(lab)
    if record is None:
        return "it is half made or half destroyed, and does not say whose it is"
    return "" if Path(record.state).is_dir() else f"the state of stack {record.stack} is gone: {record.state}"


def orphans() -> tuple[Orphan, ...]:
    """All of this machine that nobody is at work on, by id."""
    found = ((lab, why_orphaned(lab)) for lab in all_labs())
    return tuple(Orphan(lab=lab.id, reason=reason) for lab, reason in found if reason and not _busy(lab))


def remove(orphan: Orphan) -> list[str]:
    """Remove the lab; what is left of it, a line each. Raises MachineError, LockedError."""
    lab = Lab(orphan.lab)
    with held(lab.lock, PATIENCE_S) as lock:
        reclaim.everything(lab, lock)
        with held(network.machine_lock()):
            network.stop_forwarding()
        lock.forget()
    return reclaim.remains(lab)


def _busy(lab: Lab) -> bool:
    try:
        with held(lab.lock, 0) as lock:
            lock.forget()
    except LockedError:
        return True
    return False
