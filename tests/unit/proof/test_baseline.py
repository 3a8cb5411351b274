"""A host is compared with itself."""

from pathlib import Path

from himari.proof.baseline import Baseline, read_baseline, write_baseline


def test_a_first_measurement_becomes_the_baseline(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    first = read_baseline(path)
    assert first.compare("edge", "wireguard.round-trip", 0.150) == ""
    write_baseline(path, first)
    later = read_baseline(path)
    assert later.compare("edge", "wireguard.round-trip", 0.299) == ""
    assert "350.00 ms" in later.compare("edge", "wireguard.round-trip", 0.350)
    assert later.compare("brain", "wireguard.round-trip", 9.0) == ""


def test_a_baseline_does_not_creep_up(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    write_baseline(path, Baseline({"edge": {"a": 0.1}}))
    slower = read_baseline(path)
    slower.compare("edge", "a", 0.19)
    write_baseline(path, slower)
    assert read_baseline(path).compare("edge", "a", 0.21) != ""


def test_nothing_measured_leaves_no_file(tmp_path: Path) -> None:
    write_baseline(tmp_path / "baseline.json", Baseline())
    assert not (tmp_path / "baseline.json").exists()


def test_a_file_that_cannot_be_read_is_no_baseline(tmp_path: Path) -> None:
    (tmp_path / "baseline.json").write_text("{")
    assert read_baseline(tmp_path / "baseline.json").compare("edge", "a", 9.0) == ""
