"""How a check is written: a pytest function with `@check(id, sentence)` in `validation/dayNN_x/test_COMPONENT.py`.

It runs once for each host that has the component. It asserts on the `probe` fixture and passes what it saw through
`observed`, which gives it back: `assert observed(probe.sysctl("vm.swappiness")) == "1"`."""

from collections.abc import Callable
from typing import Literal, TypeVar
from weakref import WeakKeyDictionary

import msgspec

from himari.catalog.component import Component, View
from himari.proof.evidence import Severity

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., None])

Each = Literal[
    "",
    "packages",
    "users",
    "files",
    "directories",
    "credentials",
    "units",
    "running",
    "bounded",
    "masked",
    "listeners",
    "probes",
    "sysctls",
    "trees",
]


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """What `@check` says. `id` and `says` may name `{component}`, `{host}` and, with `each`, `{item}` and `{says}`."""

    id: str
    says: str
    severity: Severity
    replaces: str
    each: Each
    venue_clock: bool


STATEMENTS: WeakKeyDictionary[object, Statement] = WeakKeyDictionary()  # a mark of pytest's would need its session


def check(
    id: str,  # noqa: A002  the word of the evidence
    says: str,
    *,
    severity: Literal["critical", "warning", "info"] = "critical",
    replaces: str = "",
    each: Each = "",
    venue_clock: bool = False,
) -> Callable[[F], F]:
    """Make a test a check.

    `replaces` names the step of the VPS-Brain guide that it stands for; `each` repeats it for each of a component's
    units, listeners, ...; a `venue_clock` check compares with the venue's clock, which runs true at 1x only."""
    statement = Statement(
        id=id,
        says=says,
        severity=Severity(severity),
        replaces=replaces,
        each=each,
        venue_clock=venue_clock,
    )

    def state(function: F) -> F:
        STATEMENTS[function] = statement
        return function

    return state


def statement_of(function: object) -> Statement | None:
    """What `@check` said about a test; None for one without it."""
    return STATEMENTS.get(function)


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One check on one host."""

    host: str
    phase: str
    view: View
    component: Component
    item: object = None
    name: str = ""  # the item's, in ids and sentences

    def fill(self, template: str) -> str:
        """`template` with this case's words; an item may bring a sentence of its own."""
        says = getattr(self.item, "says", "")
        return template.format(component=self.component.name, host=self.host, item=self.name, says=says)


class Observed:
    """Notes what a check saw."""

    def __init__(self) -> None:
        self.text = ""

    def __call__(self, value: T) -> T:
        """Note `value` and give it back."""
        if isinstance(value, str):
            self.text = value
        elif isinstance(value, list | tuple | set | frozenset):
            self.text = ", ".join(str(one) for one in (sorted(value, key=str) if isinstance(value, set) else value))
            self.text = self.text or "none"
        else:
            self.text = str(value)
        return value


def require(holds: bool, otherwise: str) -> None:
    """Fail the check with the sentence `otherwise` unless it `holds`."""
    if not holds:
        raise AssertionError(otherwise)


def found(value: T | None, otherwise: str) -> T:
    """`value`; fails the check with the sentence `otherwise` when there is none."""
    if value is None:
        raise AssertionError(otherwise)
    return value
