"""Logs stand beside the evidence, by unit, and hold no key."""

import base64
import json
import secrets
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from himari.proof.logs import LINES, STRUCK, collect
from himari.stack.errors import HostError

SINCE = 1_700_000_000_000_000_000


class Journal:
    """Answers as journalctl does; `said` is (unit, message) in the order of time."""

    def __init__(self, *said: tuple[str, str], silent: bool = False) -> None:
        self.said, self.silent = said, silent
        self.asked: list[tuple[str, ...]] = []

    def __call__(self, host: str, argv: Sequence[str]) -> bytes:
        self.asked.append(tuple(argv))
        if self.silent:
            raise HostError("not reached", host)
        at = {"__REALTIME_TIMESTAMP": str(SINCE // 1000), "PRIORITY": "4"}
        return "\n".join(
            json.dumps({**at, "_SYSTEMD_UNIT": unit, "MESSAGE": text}) for unit, text in self.said
        ).encode()


UNITS = [("edge", ["himari-collector.service", "ssh.service"]), ("edge", ["redis-server.service"])]


def test_each_unit_has_a_file_and_foreign_units_are_not_read(tmp_path: Path) -> None:
    journal = Journal(("himari-collector.service", "one"), ("himari-collector.service", "two"), ("ssh.service", "no"))
    logs = collect(journal, UNITS, SINCE, tmp_path)
    assert [(log.host, log.unit, log.lines, log.warnings) for log in logs] == [
        ("edge", "himari-collector.service", 2, 2)
    ]
    assert (tmp_path / logs[0].path).read_text().splitlines() == [
        "2023-11-14 22:13:20.000000 ! one",
        "2023-11-14 22:13:20.000000 ! two",
    ]
    assert "ssh.service" not in journal.asked[0]
    assert len(journal.asked) == 1


def test_a_unit_has_so_many_lines_and_no_more_and_old_files_go(tmp_path: Path) -> None:
    many = [("redis-server.service", str(n)) for n in range(LINES + 50)]
    collect(Journal(("himari-collector.service", "old")), UNITS, SINCE, tmp_path)
    (log,) = collect(Journal(*many), UNITS, SINCE, tmp_path)
    assert log.lines == LINES
    assert [path.name for path in (tmp_path / "logs").iterdir()] == ["edge-redis-server.txt"]


def test_a_host_that_is_silent_has_no_logs(tmp_path: Path) -> None:
    assert collect(Journal(silent=True), UNITS, SINCE, tmp_path) == []


@given(key=st.binary(min_size=32, max_size=48))
def test_a_key_does_not_get_through_as_hexadecimal(key: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("logs")
    (log,) = collect(Journal(("redis-server.service", f"AUTH pusher:{key.hex()}@")), UNITS, SINCE, folder)
    text = (folder / log.path).read_text()
    assert key.hex() not in text
    assert STRUCK in text


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_key_does_not_get_through_as_base64(encode: type[base64.b64encode], tmp_path: Path) -> None:
    keys = [encode(secrets.token_bytes(32)).decode() for _ in range(200)]
    said = [("redis-server.service", f"PrivateKey={key}") for key in keys]
    (log,) = collect(Journal(*said), UNITS, SINCE, tmp_path)
    text = (tmp_path / log.path).read_text()
    assert [key for key in keys if key[:20] in text] == []


def test_paths_and_figures_stay(tmp_path: Path) -> None:
    said = "sealed /var/lib/himari/journal/00000001-000000000001-000000004711.seg, 4,711 records in 60.0 s"
    (log,) = collect(Journal(("redis-server.service", said)), UNITS, SINCE, tmp_path)
    assert said in (tmp_path / log.path).read_text()
