"""Checks that follow from a component's declaration, on what a host would say."""

import json

import pytest

from himari.catalog.component import Component, Unit, View
from himari.catalog.sandbox import EXPOSURE_MAX
from himari.proof.checks import Case, Observed
from himari.proof.derived import CHECKS
from himari.proof.probe import Probe
from himari.proof.question import Answer, Raw
from himari.stack.load import load_stack


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
