"""The checks that only a real kernel's interrupts can fail, on answers as such a host gives them."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from himari.catalog.irq import REFUSED
from himari.proof.evidence import Severity, Status
from himari.proof.question import Answer, Raw
from himari.proof.remote import Remote
from himari.proof.subject import Subject
from himari.proof.validate import run_checks
from himari.stack.known import KnownHost
from himari.stack.load import load_stack
from himari.stack.paths import VALIDATION

pytestmark = pytest.mark.xdist_group("proof-plugin")

BEFORE = "      CPU0  CPU1\n 37:  0  1  config\n 38:  5  5  input\n"
AFTER = "      CPU0  CPU1\n 37:  0  1  config\n 38:  9  5  input\n"


class Answering(Remote):
    """Hosts of two CPUs, whose card has the interrupts 37, which did not come, and 38, which did."""

    def says(self, lists: str, refused: str, mover: str) -> None:
        answers = {
            "interrupts": Answer(0, f"{BEFORE}\n{AFTER}\n{lists}"),
            "units": Answer(0, f"Id=irqbalance.service\n{mover}\n"),
        }
        empty: dict[str, str | None] = {"/run/systemd/container": "", REFUSED: refused}
        raw = Raw(answers, {}, {}, {}, {}, empty, {}, {}, {})
        self.answer = msgspec.json.encode(raw)

    def __call__(self, host: str, argv: Sequence[str]) -> bytes:
        return self.answer


def red(
    tmp_path: Path,
    lists: str,
    refused: str = "",
    mover: str = "LoadState=masked\nActiveState=inactive",
) -> dict[str, Severity]:
    stack = load_stack("lab-edge")
    known = {name: KnownHost(address=f"10.91.0.{place}") for place, name in enumerate(stack.hosts, 10)}
    remote = Answering(stack, known, Path("/nowhere"))
    remote.says(lists, refused, mover)
    found = run_checks(Subject(stack, known, remote, outside=("false",)), tmp_path / "log", VALIDATION / "day04_irq")
    own = {"irq.alone", "irq.found", "irq.told", "irq.handled", "irq.movable"}
    edge = {check.id: check for check in found if check.host == "edge" and check.id in own}
    assert edge.keys() == own
    return {name: check.severity for name, check in edge.items() if check.status is not Status.PASSED}


def test_interrupts_that_go_to_cpu_0_are_green(tmp_path: Path) -> None:
    assert red(tmp_path, "37 0 0\n38 0 0\n") == {}


def test_one_that_did_not_come_since_it_was_sent_elsewhere_is_green(tmp_path: Path) -> None:
    assert red(tmp_path, "37 0 1\n38 0 0\n") == {}


def test_one_that_came_to_the_datas_cpu_is_red(tmp_path: Path) -> None:
    assert red(tmp_path, "37 0 0\n38 0 1\n") == {"irq.handled": Severity.CRITICAL}


def test_one_that_may_go_anywhere_is_red(tmp_path: Path) -> None:
    assert red(tmp_path, "37 0-1 0\n38 0 0\n") == {"irq.told": Severity.CRITICAL}


def test_what_the_kernel_keeps_on_the_datas_cpu_is_a_warning(tmp_path: Path) -> None:
    assert red(tmp_path, "37 0 0\n38 1 1\n", refused="38") == {"irq.movable": Severity.WARNING}
    assert red(tmp_path, "37 0 0\n38 0-1 0\n", refused="38") == {}


def test_a_host_whose_interrupts_are_not_found_is_a_warning(tmp_path: Path) -> None:
    assert red(tmp_path, "") == {"irq.found": Severity.WARNING}


@pytest.mark.parametrize(
    "mover", ["LoadState=loaded\nActiveState=inactive", "LoadState=masked\nActiveState=active"], ids=["free", "runs"]
)
def test_another_that_moves_them_is_red(tmp_path: Path, mover: str) -> None:
    assert red(tmp_path, "37 0 0\n38 0 0\n", mover=mover) == {"irq.alone": Severity.CRITICAL}
