from pathlib import Path

from himari.runs.look import wanted
from himari.stack.load import load_stack
from himari.stack.paths import StateDir


def test_a_unit_that_a_timer_starts_is_looked_at_as_such(tmp_path: Path) -> None:
    what = wanted(load_stack("lab-edge"), {}, StateDir(tmp_path), "brain")
    assert {"himari-consumer.service", "himari-deadman.service", "himari-deadman.timer"} <= set(what["units"])
    looks = ["himari-self-check-daily.service", "himari-self-check-weekly.service"]
    assert what["timed"] == ["himari-tunnel.service", "himari-deadman.service", *looks]


def test_what_a_container_cannot_run_is_named(tmp_path: Path) -> None:
    what = wanted(load_stack("lab-edge"), {}, StateDir(tmp_path), "edge")
    assert "chrony.service" in what["beyond_containers"]
    assert "himari-collector.service" not in what["beyond_containers"]
