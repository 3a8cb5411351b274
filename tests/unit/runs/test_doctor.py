"""What this machine must be for a stack."""

import pytest

from himari.runs.doctor import check_machine
from himari.stack.errors import MachineError
from himari.stack.load import load_stack


@pytest.mark.parametrize("name", ["HIMARI_STATE", "HIMARI_CACHE"])
@pytest.mark.parametrize("folder", ["/opt/himari/ours", "/var/cache/himari"])
def test_what_destroy_would_take_along_is_refused_before_anything_is_done(
    monkeypatch: pytest.MonkeyPatch, name: str, folder: str
) -> None:
    monkeypatch.setenv(name, folder)
    with pytest.raises(MachineError, match="belongs to the brain") as caught:
        check_machine(load_stack("vps-brain"))
    assert caught.value.where == folder
    assert name in caught.value.hint


def test_those_folders_are_free_where_no_host_is_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIMARI_CACHE", "/var/cache/himari")
    check_machine(load_stack("lab-edge"))
