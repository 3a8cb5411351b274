"""A cutover from a consumer that exists, back, and over again, in one traffic run: nothing missing, nothing double."""

import base64
import re
from pathlib import Path

import pytest

from himari.proof.accounts import Fault
from himari.proof.settle import settle
from himari.proof.window import prove_data
from himari.runs.report import UpReport
from himari.stack.load import stack_path
from tests.lab.conftest import STACK, OwnLab

OLD, OURS = "old-consumer.service", "himari-consumer.service"
PYTHON = "/opt/himari/runtime/bin/python"
PLACE = "/usr/local/lib/old-consumer"
UNIT = f"""[Unit]
Description=A consumer that was here before
[Service]
User=himari-consumer
StateDirectory=old-consumer
LoadCredentialEncrypted=redis-reader:/etc/credstore.encrypted/redis-reader
ExecStart={PYTHON} {PLACE}/old_consumer.py serve /var/lib/old-consumer/events
Restart=always
[Install]
WantedBy=multi-user.target
"""
COUNT = f"#!/bin/sh\nexec {PYTHON} {PLACE}/old_consumer.py count /var/lib/old-consumer/events\n"
NOTE = "/var/lib/himari/cutover.json"
LOSING = f"/run/systemd/system/{OLD}.d/losing.conf"


def put(edge: OwnLab, path: str, text: str, mode: str) -> None:
    """Write a file on the brain."""
    coded = base64.b64encode(text.encode()).decode()
    edge.inside("brain", f"mkdir -p $(dirname {path}); echo {coded} | base64 -d >{path}; chmod {mode} {path}")


def states(edge: OwnLab) -> list[str]:
    """How the two consumers are: active or inactive, enabled or disabled, ours last."""
    asked = f"systemctl show --value --property=ActiveState,UnitFileState {OLD} {OURS}"
    return edge.inside("brain", asked).split()


def verb(edge: OwnLab, name: str) -> str:
    """Standard output of a verb that must end well."""
    done = edge.himari(name, STACK)
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-1000:]
    return done.stdout


@pytest.fixture(scope="module")
def old_consumer(lab_edge: OwnLab, first_up: UpReport) -> OwnLab:
    """The lab, with a consumer of its own on the brain that runs since before ours was wanted."""
    put(lab_edge, f"{PLACE}/old_consumer.py", (Path(__file__).parent / "old_consumer.py").read_text(), "644")
    put(lab_edge, f"{PLACE}/count", COUNT, "755")
    put(lab_edge, f"/etc/systemd/system/{OLD}", UNIT, "644")
    lab_edge.inside("brain", f"systemctl daemon-reload; systemctl enable --now {OLD} 2>&1")
    return lab_edge


def test_nothing_is_rolled_back_that_was_not_cut_over(lab_edge: OwnLab, first_up: UpReport) -> None:
    done = lab_edge.himari("rollback", STACK)
    assert done.returncode == 2
    assert "no cutover was begun" in done.stderr


def test_an_old_consumer_that_holds_less_is_not_taken_over_and_both_run_on(
    old_consumer: OwnLab, tmp_path: Path
) -> None:
    """The deadline is the file's own, but for its length."""
    impatient = tmp_path / f"{STACK}.toml"
    shipped = stack_path(STACK).read_text()
    impatient.write_text(re.sub(r"(?m)^deadline_seconds = \d+$", "deadline_seconds = 12", shipped))
    put(old_consumer, LOSING, "[Service]\nEnvironment=LEAVES_OUT=20\n", "644")
    old_consumer.inside("brain", f"systemctl daemon-reload; systemctl restart {OLD}")
    try:
        done = old_consumer.himari("cutover", str(impatient))
        assert done.returncode == 7, done.stderr
        assert "the counts did not agree within 12 s" in done.stderr
        assert re.search(r"trade [A-Z/]+: [\d,]+ old, [\d,]+ ours", done.stderr)
        assert states(old_consumer) == ["active", "enabled", "active", "enabled"]
    finally:
        old_consumer.inside("brain", f"rm {LOSING}; systemctl daemon-reload; systemctl restart {OLD}")


def test_cutover_rollback_and_cutover_again_lose_and_double_nothing(old_consumer: OwnLab) -> None:
    edge = old_consumer

    def over_and_back() -> list[Fault]:
        verb(edge, "cutover")
        assert states(edge) == ["inactive", "disabled", "active", "enabled"]
        verb(edge, "rollback")
        assert states(edge) == ["active", "enabled", "inactive", "disabled"]
        told = edge.himari("status", STACK).stdout
        assert f"rolled back: {OLD} is in charge" in told
        assert f"{OURS} is inactive" not in told
        assert "was done before" not in verb(edge, "cutover")
        assert states(edge) == ["inactive", "disabled", "active", "enabled"]
        return []

    run = edge.remote()
    assert settle(edge.stack, run, lambda _: None)
    result = prove_data(edge.stack, run, 10.0, faults=over_and_back)
    assert result.green, [check for check in result.checks if check.reason]
    assert (result.ledger.lost, result.ledger.invented, result.ledger.duplicates, result.ledger.gaps) == (0, 0, 0, 0)


def test_the_verbs_may_be_repeated_and_status_tells_where_they_are(old_consumer: OwnLab) -> None:
    before = old_consumer.inside("brain", f"cat {NOTE}")
    verb(old_consumer, "cutover")
    assert old_consumer.inside("brain", f"cat {NOTE}") == before
    assert "cut over" in old_consumer.himari("status", STACK).stdout


def test_an_old_consumer_that_does_not_run_stops_a_cutover_before_it_begins(old_consumer: OwnLab) -> None:
    old_consumer.inside("brain", f"rm {NOTE}")
    done = old_consumer.himari("cutover", STACK)
    assert done.returncode == 6
    assert f"{OLD}, is inactive" in done.stderr
