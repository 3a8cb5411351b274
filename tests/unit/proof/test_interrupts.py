import pytest

from himari.proof.interrupts import Interrupt, counts, interrupts

BEFORE = """           CPU0       CPU1
 37:          0          0 PCI-MSIX-0000:00:03.0   0-edge      virtio2-config
 38:         10      76536 PCI-MSIX-0000:00:03.0   1-edge      virtio2-input.0
LOC:   12925493   16221125   Local timer interrupts"""
AFTER = BEFORE.replace("        10 ", "        17 ")


def test_an_interrupt_is_told_handled_and_counted() -> None:
    assert interrupts(f"{BEFORE}\n\n{AFTER}\n\n37 0 0-1\n38 0 0\n") == [
        Interrupt(37, "0", "0-1", 0),
        Interrupt(38, "0", "0", 7),
    ]


def test_one_that_was_never_handled_has_no_place_yet() -> None:
    assert interrupts(f"{BEFORE}\n\n{AFTER}\n\n37 0\n") == [Interrupt(37, "0", "", 0)]


@pytest.mark.parametrize("text", ["", f"{BEFORE}\n\n{AFTER}\n\n", f"{BEFORE}\n\n{AFTER}\n"])
def test_a_host_without_a_card_has_none(text: str) -> None:
    assert interrupts(text) == []


def test_all_cpus_count_together_and_names_do_not() -> None:
    assert counts(BEFORE) == {"37": 0, "38": 76546}
