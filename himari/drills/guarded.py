"""Changes that lock the operator out: the host puts the old state back by itself when nobody logs in anew."""

import base64
import subprocess
from collections.abc import Callable
from dataclasses import asdict

import msgspec

from himari.apply import bundle
from himari.apply.agent.places import Places
from himari.apply.agent.wire import Activation, FileChange, Report, UnitChange
from himari.catalog.hostpaths import FIREWALL
from himari.catalog.sshd import DROP_IN as SSHD
from himari.drills.altered import keep, restart, whole
from himari.drills.drill import Drill, Gaps, Quiet
from himari.drills.field import Field, await_
from himari.ssh import connection
from himari.ssh.connection import Reach
from himari.stack.errors import DeployError, HostError
from himari.stack.known import read_known

GUARDS = Places().guards
LONGEST_SECONDS = 90.0
LOGIN_SECONDS = 15.0
QUICK = ("-o", "ConnectTimeout=3")

Inside = Callable[[str], str]


class LockedOut(Quiet):
    """A guarded file of the edge is changed by a run that is gone before it could log in anew."""

    def __init__(
        self, path: str, unit: str, old: str, new: str, *, guard_seconds: int, patience: float = LONGEST_SECONDS
    ) -> None:
        self._path, self._unit, self._old, self._new = path, unit, old, new
        self._seconds, self._patience = guard_seconds, patience
        self._whole = ""

    def inject(self, field: Field) -> None:
        text = self._text(field)
        if self._old not in text:
            raise HostError(f"{self._path} does not say `{self._old}`", field.edge, hint="himari up")
        self._whole = text
        spoilt = text.replace(self._old, self._new)
        keep(field, field.edge, self._path, spoilt)
        activate(_reach(field), _edge(field), self._path, spoilt, self._unit, seconds=self._seconds)

    def seen(self, field: Field) -> str:
        done = login(_reach(field))
        said = done.stderr.strip().splitlines() or ["no answer"]
        return f"a fresh login fails: {said[-1]}" if done.returncode else ""

    def restored(self, field: Field) -> bool:
        return self._text(field) == self._whole and login(_reach(field)).returncode == 0

    def heal(self, field: Field) -> None:
        """Leave it to the guard, and do its work where it fails to. Raises DeployError then: it is broken."""
        ended = await_(lambda: not _guards(field), self._patience)
        if whole(field, field.edge, self._path):
            failed = f"{self._path} was as the drill had made it"
        elif not ended:
            failed = f"{GUARDS} holds {_guards(field)}"
        elif not await_(lambda: login(_reach(field)).returncode == 0, self._patience):
            failed = "a fresh login fails"
        else:
            return
        field.inside(field.edge, restart(self._unit))  # what it runs with may not be what the file says
        expected = "the host to undo by itself what nobody confirmed; the drill has put the file back"
        hint = f"himari up {field.stack.name} ends what is left of the guard"
        raise DeployError(f"the guard did not put the old state back: {failed}", field.edge, expected, hint)

    def _text(self, field: Field) -> str:
        return field.inside(field.edge, f"cat {self._path}")


def activate(reach: Reach, inside: Inside, path: str, text: str, unit: str, *, seconds: int) -> str:
    """Give a host `text` as the guarded file `path`, restart `unit`, and confirm nothing; the guard's token.

    Raises DeployError when the host could not do it."""
    mode = int(inside(f"stat -c %a {path}"), 8)
    file = FileChange(path, base64.b64encode(text.encode()).decode(), mode, "root", "root", [], [], guarded=True)
    digest = inside(f"cat {Places().units / unit} 2>/dev/null || true")
    service = UnitChange(unit, digest, False, True, True, [], 30, guarded=True)
    request = asdict(Activation(files=[file], units=[service], guard_seconds=seconds))
    done = reach.run(reach.as_root(bundle.COMMAND), "".join(bundle.stream("activate", request)).encode(), timeout=60)
    try:
        report = msgspec.json.decode(done.out.strip().rpartition("\n")[2], type=Report)
    except msgspec.DecodeError:
        said = (done.err.strip() or done.out.strip())[-300:] or "nothing"
        raise DeployError(f"the change could not be made: the host said {said}", reach.host_name, "a report") from None
    if report.failure is not None:
        said = "; ".join((report.failure.what, *report.failure.lines))
        raise DeployError(f"the change could not be made: {said}", reach.host_name)
    return report.token


def login(reach: Reach, seconds: float = LOGIN_SECONDS) -> "subprocess.CompletedProcess[str]":
    """How a login of its own ends, over no connection that is open already; one that hangs has failed."""
    argv = reach.argv("true", (*connection.FRESH, *QUICK))
    try:
        return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=seconds)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(argv, connection.SSH_FAILED, "", f"no login within {seconds:g} s")


def _guards(field: Field) -> str:
    """The changes of the edge that wait, or whose old state is not back yet."""
    return " ".join(field.inside(field.edge, f"[ ! -d {GUARDS} ] || ls {GUARDS}").split())


def _reach(field: Field) -> Reach:
    return connection.reach(field.edge, read_known(field.state.hosts), field.state)


def _edge(field: Field) -> Inside:
    return lambda script: field.inside(field.edge, script)


DRILLS = (
    Drill(
        name="sshd-reverts",
        says="A change of sshd lets nobody in, and the run that made it is gone",
        deadline="the host puts the old state back within 75 seconds by itself, and nothing is missed",
        within=75,
        sees="a fresh login fails",
        gaps=Gaps.NONE,
        takes=110,
        fault=lambda _: LockedOut(SSHD, "ssh.service", "AllowUsers himari", "AllowUsers nobody", guard_seconds=60),
    ),
    Drill(
        name="nftables-reverts",
        says="A change of the firewall drops ssh, and the run that made it is gone",
        deadline="the host puts the old state back within 75 seconds by itself, and nothing is missed",
        within=75,
        sees="a fresh login fails",
        gaps=Gaps.NONE,
        takes=110,
        fault=lambda _: LockedOut(FIREWALL, "himari-firewall.service", "jump ssh", "drop", guard_seconds=60),
    ),
)
