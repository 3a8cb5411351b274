"""What a host does with an archive of wheels or of a tree; here it is this machine."""

import hashlib
import io
import os
import subprocess
import tarfile
import time
from pathlib import Path

import pytest

from himari.apply.upload import receive

SOMEBODY = os.getuid() + 1000  # the operator's uid, which on the host is somebody else's
DIGEST = "0" * 32


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A wheelhouse as the operator's machine holds it."""
    folder = tmp_path / DIGEST
    folder.mkdir()
    (folder / "a-1-py3-none-any.whl").write_bytes(b"wheel")
    (folder / "SHA256SUMS").write_text(f"{hashlib.sha256(b'wheel').hexdigest()}  a-1-py3-none-any.whl\n")
    return folder


def archive(folder: Path) -> bytes:
    """What `tar` packs there for somebody: the folder itself, open to its group, and old."""

    def owned(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = SOMEBODY
        member.uname = member.gname = ""
        member.mode |= 0o020
        member.mtime = 1
        return member

    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.add(folder, ".", filter=owned)
    return packed.getvalue()


def send(folder: Path, root: Path, packed: bytes) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(("sh", "-c", receive(folder, root)), input=packed, capture_output=True, check=False)


def test_wheels_belong_to_who_unpacks_them_whatever_the_archive_says(folder: Path, tmp_path: Path) -> None:
    root = tmp_path / "host"
    assert send(folder, root, archive(folder)).returncode == 0
    found = [root / DIGEST, *(root / DIGEST).iterdir()]
    assert len(found) == 3
    assert {(path.stat().st_uid, path.stat().st_mode & 0o022) for path in found} == {(os.geteuid(), 0)}


def test_everybody_may_read_what_came_from_a_cache_that_is_its_owners_alone(folder: Path, tmp_path: Path) -> None:
    for path in folder.iterdir():
        path.chmod(0o600)
    folder.chmod(0o700)
    root = tmp_path / "host"
    assert send(folder, root, archive(folder)).returncode == 0
    assert {path.stat().st_mode & 0o777 for path in (root / DIGEST).iterdir()} == {0o644}
    assert (root / DIGEST).stat().st_mode & 0o777 == 0o755


def test_a_wheelhouse_is_as_old_as_its_upload(folder: Path, tmp_path: Path) -> None:
    root, began = tmp_path / "host", time.time()
    send(folder, root, archive(folder))
    assert (root / DIGEST).stat().st_mtime >= began - 1


def test_what_arrives_altered_or_in_part_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    root, packed = tmp_path / "host", archive(folder)
    assert send(folder, root, packed.replace(b"wheel\0", b"whee1\0")).returncode
    assert send(folder, root, packed[:1024]).returncode
    assert list(root.iterdir()) == []


def test_it_may_be_sent_again(folder: Path, tmp_path: Path) -> None:
    root = tmp_path / "host"
    for _ in range(2):
        assert send(folder, root, archive(folder)).returncode == 0
    assert [path.name for path in root.iterdir()] == [DIGEST]
