from pathlib import Path

import pytest

from himari.stack.errors import StackFileError
from himari.stack.known import KnownHost, read_known, write_known


def test_what_was_noted_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "tokyo" / "hosts.json"
    assert read_known(path) == {}
    known = {"edge": KnownHost(address="192.0.2.7", ssh_host_key="ssh-ed25519 AAAA")}
    write_known(path, known)
    assert read_known(path) == known
    assert [each.name for each in path.parent.iterdir()] == ["hosts.json"]


@pytest.mark.parametrize("spoiled", [b"", b'{"edge": ', b'{"edge": 3}', b"\xff\xfe", b"[]"])
def test_a_spoiled_note_is_named_with_what_helps(tmp_path: Path, spoiled: bytes) -> None:
    path = tmp_path / "tokyo" / "hosts.json"
    path.parent.mkdir()
    path.write_bytes(spoiled)
    with pytest.raises(StackFileError) as told:
        read_known(path)
    assert told.value.where == str(path)
    assert "himari up tokyo" in told.value.hint
