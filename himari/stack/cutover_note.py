"""How far a cutover has come: a small file on the brain, so that any operator's machine can go on with it."""

from enum import StrEnum

import msgspec


class Stage(StrEnum):
    """Where a cutover stands. Only at two of them nothing is under way."""

    SIDE_BY_SIDE = "both consumers run"
    SWITCHING = "the old consumer is being stopped"
    OVER = "cut over"
    RETURNING = "the old consumer is being put back"
    BACK = "rolled back"


class CutoverNote(msgspec.Struct, frozen=True, kw_only=True):
    """What the brain's file says."""

    stage: Stage
    at: str  # UTC, ISO 8601
    unit: str  # the old consumer's
    enabled: bool = True  # whether the old consumer started with the host before
    agreed: str = ""  # what was counted when the two agreed

    @property
    def says(self) -> str:
        """Where it stands; after a rollback also who is in charge."""
        return f"{self.stage}: {self.unit} is in charge" if self.stage is Stage.BACK else str(self.stage)

    @property
    def next_step(self) -> str:
        """The verbs that end what was begun; empty when nothing is under way."""
        if self.stage in (Stage.OVER, Stage.BACK):
            return ""
        return "rollback" if self.stage is Stage.RETURNING else "cutover, or rollback"
