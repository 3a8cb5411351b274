"""What each drill is, as values and as the page docs/drills.md."""

from collections.abc import Iterable

import msgspec

from himari.drills.drill import Drill
from himari.drills.known import DRILLS


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A drill without its fault."""

    name: str
    says: str
    deadline: str
    sees: str
    gaps: str
    takes: float
    together: bool
    not_covered: str


def listing(drills: Iterable[Drill] = DRILLS) -> list[Listed]:
    """All drills, in their order."""
    return [Listed(**{name: getattr(drill, name) for name in Listed.__struct_fields__}) for drill in drills]


def markdown(listed: Iterable[Listed]) -> str:
    """The table of docs/drills.md."""
    head = [
        "| drill | what is done | deadline | what must be seen | gaps | takes |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    rows = [
        f"| `{one.name}` | {one.says} | {one.deadline} | {one.sees} | {one.gaps} | {one.takes:.0f} s |"
        for one in listed
    ]
    return "\n".join([*head, *rows]) + "\n"
