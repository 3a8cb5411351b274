"""Checks that follow from a component's declaration, on what a host would say."""

import hashlib
import json
from pathlib import Path

import pytest

from himari.catalog.component import Component, Tree, Unit, View
from himari.catalog.sandbox import EXPOSURE_MAX
from himari.proof.checks import Case, Observed
from himari.proof.derived import CHECKS
from himari.proof.probe import Probe
from himari.proof.question import Answer, FileState, Raw
from himari.proof.remote import Remote
from himari.proof.subject import Subject
from himari.stack.load import load_stack
from himari.stack.maven_lock import SUMS, Coordinate, Locked, lock_text

WHOLE = FileState(hashlib.sha256(b"jar").hexdigest(), 0o644, "root", "root")


def judge_exposure(exposure: float) -> None:
    """Raises AssertionError where the check of a bounded unit is red."""
    said = json.dumps([{"unit": "x.service", "exposure": str(exposure)}])
    probe = Probe("edge", Raw({"exposure": Answer(0, said)}, {}, {}, {}, {}, {}, {}, {}, {}))
    unit = Unit(name="x.service", exposure_max=EXPOSURE_MAX)
    view = View(stack=load_stack("lab-edge"), host_name="edge")
    case = Case(host="edge", phase="", view=view, component=Component(name="x"), item=unit, name=unit.name)
    CHECKS["test_declared_exposure"](case, probe, Observed())


def test_a_unit_at_its_bound_of_exposure_is_not_below_it() -> None:
    judge_exposure(EXPOSURE_MAX - 0.1)
    with pytest.raises(AssertionError, match=r"3\.0, expected below 3\.0"):
        judge_exposure(EXPOSURE_MAX)


def judge_tree(folder: Path, held: dict[str, FileState]) -> str:
    """What the check of a tree with the one file core-1.jar observed; raises AssertionError where it is red."""
    lock = folder / "x.maven"
    lock.write_text(lock_text([Locked(Coordinate("org.b", "core", "1"), "core-1.jar", 3, WHOLE.sha256)]))
    tree = Tree(name="x", lock=str(lock), link="/opt/himari/x")
    stack, observed = load_stack("lab-edge"), Observed()
    probe = Probe("edge", Raw({}, {}, {}, {}, {}, {}, {}, {}, {}, {tree.link: held}))
    case = Case(
        host="edge",
        phase="",
        view=View(stack=stack, host_name="edge"),
        component=Component(name="x", trees=(tree,)),
        item=tree,
        name=tree.name,
    )
    CHECKS["test_declared_tree"](case, probe, observed, Subject(stack, {}, Remote(stack, {}, Path("/nowhere"))))
    return observed.text


def test_a_tree_is_its_locks_files_and_their_sums(tmp_path: Path) -> None:
    seen = judge_tree(tmp_path, {"core-1.jar": WHOLE, SUMS: FileState("", 0o644, "root", "root")})
    assert seen.startswith("1 files in /opt/himari/x")


@pytest.mark.parametrize(
    ("held", "says"),
    [
        ({}, "foreign: core-1.jar"),
        ({"core-1.jar": FileState("0" * 64, 0o644, "root", "root")}, "foreign: core-1.jar"),
        ({"core-1.jar": WHOLE, "other.jar": WHOLE}, "foreign: other.jar"),
        ({"core-1.jar": FileState(WHOLE.sha256, 0o664, "root", "root")}, "not 0644: core-1.jar"),
        ({"core-1.jar": FileState(WHOLE.sha256, 0o644, "kafka", "kafka")}, "not root's"),
    ],
)
def test_a_tree_with_something_missing_altered_foreign_or_not_roots_is_red(
    tmp_path: Path, held: dict[str, FileState], says: str
) -> None:
    with pytest.raises(AssertionError, match=says):
        judge_tree(tmp_path, held)
