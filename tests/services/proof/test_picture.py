"""The README's picture shows a green proof or nothing."""

from pathlib import Path

import msgspec
import pytest

from himari.proof.evidence import Check, Evidence, Severity, Status, tally, write_evidence
from himari.proof.picture import picture
from himari.proof.source import Market
from himari.stack.errors import ProofFailed
from himari.stack.paths import StateDir

CHECK = Check(
    id="redis_buffer.active",
    phase="day02_redis",
    host="edge",
    says="Redis runs",
    severity=Severity.CRITICAL,
    observed="active",
    status=Status.PASSED,
)


def proven(check: Check) -> None:
    evidence = Evidence(
        stack="lab-edge",
        commit="abc",
        dirty=False,
        started="2026-01-02T03:04:05+00:00",
        seconds=10.0,
        versions={},
        feed=Market(seed=7, symbols=("BTC/USDT",), frames_per_s=100.0),
        phases=tally([check]),
        checks=[check],
    )
    write_evidence(StateDir.of("lab-edge").evidence, evidence)


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIMARI_STATE", str(tmp_path))


def test_a_green_proof_has_a_picture(tmp_path: Path) -> None:
    proven(CHECK)
    picture("lab-edge", tmp_path / "page.png")
    assert (tmp_path / "page.png").read_bytes().startswith(b"\x89PNG")


def test_a_red_proof_and_none_at_all_have_no_picture(tmp_path: Path) -> None:
    with pytest.raises(ProofFailed, match="green proof"):
        picture("lab-edge", tmp_path / "page.png")
    proven(msgspec.structs.replace(CHECK, status=Status.FAILED))
    with pytest.raises(ProofFailed, match="green proof"):
        picture("lab-edge", tmp_path / "page.png")
    assert not (tmp_path / "page.png").exists()
