"""The script of the boot unit on a made-up tree of a kernel's files."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from himari.catalog.component import View
from tests.unit.catalog import units

Render = Callable[[str, View], Any]
Shipped = Callable[..., View]
SCRIPT = "/usr/local/lib/himari/irq-affinity"
UNIT = "/etc/systemd/system/himari-irq.service"
EVERYWHERE = "0-3"


class Tree:
    """A kernel's files below `root`, and the script that changes them."""

    def __init__(self, root: Path, script: str) -> None:
        self.root = root
        self._script = root / "irq-affinity"
        self._script.write_text(script)
        (root / "run/himari-irq").mkdir(parents=True)
        (root / "sys/class/net/lo").mkdir(parents=True)

    def card(self, name: str, device: str, holder: str, *numbers: int) -> None:
        """A card whose `device` is below /sys/devices, as is `holder`, which has the interrupts `numbers`."""
        devices = self.root / "sys/devices"
        for number in numbers:
            (devices / holder / "msi_irqs").mkdir(parents=True, exist_ok=True)
            (devices / holder / "msi_irqs" / str(number)).write_text("msix\n")
            self.interrupt(number).parent.mkdir(parents=True, exist_ok=True)
            self.interrupt(number).write_text(f"{EVERYWHERE}\n")
        (devices / device).mkdir(parents=True, exist_ok=True)
        (self.root / "sys/class/net" / name).mkdir(parents=True)
        (self.root / "sys/class/net" / name / "device").symlink_to(devices / device)

    def interrupt(self, number: int) -> Path:
        return self.root / f"proc/irq/{number}/smp_affinity_list"

    def keep(self, number: int) -> None:
        """The kernel refuses to move this one: a file whose writing is an I/O error, as a managed interrupt's is."""
        self.interrupt(number).unlink()
        self.interrupt(number).symlink_to("/proc/self/mem")

    def move(self, cpus: str) -> list[str]:
        argv = ["sh", str(self._script), cpus, str(self.root)]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.splitlines()

    def lists(self, *numbers: int) -> list[str]:
        return [self.interrupt(number).read_text().strip() for number in numbers]

    @property
    def refused(self) -> list[str]:
        return (self.root / "run/himari-irq/refused").read_text().split()


@pytest.fixture
def tree(tmp_path: Path, rendered: Render, view: Shipped) -> Tree:
    return Tree(tmp_path, rendered("irq", view("lab-edge", "edge")).files[SCRIPT])


def test_a_virtio_cards_interrupts_are_its_parents(tree: Tree) -> None:
    tree.card("eth0", "pci0000:00/0000:00:03.0/virtio2", "pci0000:00/0000:00:03.0", 37, 38, 39)
    assert len(tree.move("0")) == 3
    assert tree.lists(37, 38, 39) == ["0", "0", "0"]


def test_a_pci_card_has_its_own_and_the_bridge_above_it_is_left_alone(tree: Tree) -> None:
    tree.card("pcieport", "bridge/port", "bridge", 24)
    (tree.root / "sys/class/net/pcieport/device").unlink()
    tree.card("ens5", "bridge/0000:01:00.0", "bridge/0000:01:00.0", 40)
    tree.move("0-1")
    assert tree.lists(24, 40) == [EVERYWHERE, "0-1"]


def test_a_second_time_changes_nothing_and_says_nothing(tree: Tree) -> None:
    tree.card("eth0", "one/virtio2", "one", 38)
    tree.move("0-1")
    before = tree.interrupt(38).stat().st_mtime_ns
    assert tree.move("0-1") == []
    assert tree.interrupt(38).stat().st_mtime_ns == before


def test_what_the_kernel_keeps_is_said_and_noted_and_the_others_are_moved(tree: Tree) -> None:
    tree.card("eth0", "one/virtio2", "one", 38, 39)
    tree.keep(38)
    said = tree.move("0")
    assert said[0] == "interrupt 38 stays on CPUs unknown: the kernel manages it"
    assert tree.refused == ["38"]
    assert tree.lists(39) == ["0"]


def test_a_host_without_such_a_card_is_no_failure(tree: Tree) -> None:
    assert tree.move("0") == []
    assert tree.refused == []


def test_they_go_where_redis_is_not(rendered: Render, view: Shipped) -> None:
    text = rendered("irq", view("lab-edge", "edge")).files[UNIT]
    assert f"ExecStart={SCRIPT} 0" in units.lines(text)


def test_nothing_else_moves_them(rendered: Render, view: Shipped) -> None:
    assert rendered("irq", view("lab-edge", "exchange")).component.masked == ("irqbalance.service",)


def test_the_unit_is_sandboxed_but_writes_where_it_must(rendered: Render, view: Shipped, tmp_path: Path) -> None:
    irq = rendered("irq", view("lab-edge", "edge"))
    assert units.exposure(tmp_path, "himari-irq.service", irq.files[UNIT]) < irq.component.units[0].exposure_max
    last = dict(line.split("=", 1) for line in units.lines(irq.files[UNIT]))
    assert (last["ProtectKernelTunables"], last["ProcSubset"]) == ("no", "all")
