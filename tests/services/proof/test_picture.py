"""The README's picture shows a green proof or nothing."""

from pathlib import Path

import msgspec
import pytest

from himari.proof.evidence import Check, Severity, Status, write_evidence
from himari.proof.picture import picture
from himari.stack.errors import ProofFailed
from himari.stack.paths import StateDir
from tests.unit.proof.samples import proven

CHECK = Check(
    id="redis_buffer.active",
    phase="day02_redis",
    host="edge",
    says="Redis runs",
    severity=Severity.CRITICAL,
    observed="active",
    status=Status.PASSED,
)


def write(check: Check) -> None:
    write_evidence(StateDir.of("lab-edge").evidence, proven(check))


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIMARI_STATE", str(tmp_path))


def test_a_green_proof_has_a_picture(tmp_path: Path) -> None:
    write(CHECK)
    picture("lab-edge", tmp_path / "page.png")
    assert (tmp_path / "page.png").read_bytes().startswith(b"\x89PNG")


def test_a_red_proof_and_none_at_all_have_no_picture(tmp_path: Path) -> None:
    with pytest.raises(ProofFailed, match="green proof"):
        picture("lab-edge", tmp_path / "page.png")
    write(msgspec.structs.replace(CHECK, status=Status.FAILED))
    with pytest.raises(ProofFailed, match="green proof"):
        picture("lab-edge", tmp_path / "page.png")
    assert not (tmp_path / "page.png").exists()
