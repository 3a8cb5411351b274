"""A brain's two consumers, the user's own and ours, as systemd runs them; and the note of which is in charge."""

from datetime import UTC, datetime

import msgspec

from himari.catalog.consumer import UNIT as CONSUMER
from himari.catalog.deadman import TIMER as DEADMAN
from himari.catalog.hostpaths import CUTOVER
from himari.proof.probe import Runner
from himari.stack.cutover_note import CutoverNote, Stage
from himari.stack.errors import DeployError, StackFileError
from himari.stack.model import Role, Stack

OURS = (CONSUMER, DEADMAN)
# In one step, and on the disk before anything follows from it.
_WRITE = f'umask 022; printf "%s\\n" "$1" >{CUTOVER}.new && sync {CUTOVER}.new && mv {CUTOVER}.new {CUTOVER}'


class UnitView(msgspec.Struct, frozen=True, kw_only=True):
    """A unit, in systemd's words."""

    load: str
    active: str
    enabled: str
    says: str

    @property
    def runs(self) -> bool:
        return self.active == "active"


class Consumers:
    """The consumers on the brain of `stack`, driven through `run`. Raises StackFileError when the file names none."""

    def __init__(self, stack: Stack, run: Runner) -> None:
        if not (stack.cutover.unit and stack.cutover.count):
            raise StackFileError(
                "the stack file does not say from which consumer to cut over",
                f"{stack.name}: [cutover]",
                "unit, its systemd service on the brain, and count, a command that tells what it has",
                "himari schema explains each key; without a consumer of your own there is nothing to cut over",
            )
        self.stack, self.run = stack, run
        self.brain = stack.hosts_with(Role.BRAIN)[0]
        self.old = stack.cutover.unit

    def note(self) -> CutoverNote | None:
        """How far a cutover has come; None when none was begun. Raises DeployError when the file says nothing so."""
        text = self.run(self.brain, ("sh", "-c", f"cat {CUTOVER} 2>/dev/null || :"))
        try:
            return msgspec.json.decode(text, type=CutoverNote) if text.strip() else None
        except msgspec.DecodeError as error:
            hint = "remove it: himari cutover then begins anew, and stops nothing before the counts agree"
            raise DeployError(f"{CUTOVER} is spoiled: {error}", self.brain, "a cutover's note", hint) from None

    def write(self, stage: Stage, *, enabled: bool, agreed: str = "") -> None:
        """Note how far it has come, before the next step is done."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        note = CutoverNote(stage=stage, at=at, unit=self.old, enabled=enabled, agreed=agreed)
        self.run(self.brain, ("sh", "-c", _WRITE, "note", msgspec.json.encode(note).decode()))

    def view(self, unit: str) -> UnitView:
        """How `unit` is."""
        properties = "LoadState,ActiveState,UnitFileState,SubState,Result"
        said = self.run(self.brain, ("systemctl", "show", f"--property={properties}", unit)).decode()
        fields = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
        return UnitView(
            load=fields["LoadState"],
            active=fields["ActiveState"],
            enabled=fields["UnitFileState"],
            says=f"{fields['ActiveState']} ({fields['SubState']}, {fields['Result']})",
        )

    def start(self, *units: str, enable: bool = True) -> None:
        """Start `units`, also at each boot if `enable`. Raises HostError when one does not start."""
        self.run(self.brain, ("systemctl", "enable", "--now", *units) if enable else ("systemctl", "start", *units))

    def stop(self, *units: str) -> None:
        """Stop `units`, also at each boot; their files and their data stay. Raises HostError."""
        self.run(self.brain, ("systemctl", "disable", "--now", *units))

    def require(self, unit: str, what: str, hint: str) -> UnitView:
        """The view of `unit`, which must run. Raises DeployError, saying what `unit` is and what helps."""
        seen = self.view(unit)
        if not seen.runs:
            shown = "is not there" if seen.load == "not-found" else f"is {seen.says}"
            raise DeployError(f"{what}, {unit}, {shown}", self.brain, "active (running)", hint)
        return seen
