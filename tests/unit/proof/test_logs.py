"""Logs stand beside the evidence, by unit and by host, each line with a place of its own, and hold no key."""

import base64
import re
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from himari.proof.journal import LINES, STRUCK, Period
from himari.proof.logs import collect
from tests.unit.proof.journals import START, Journal, said

COLLECTOR, REDIS = "himari-collector.service", "redis-server.service"
UNITS = [("edge", [COLLECTOR, "ssh.service"]), ("edge", [REDIS])]
SINCE = Period(since_ns=START)


def test_each_unit_has_a_file_and_foreign_units_are_not_read(tmp_path: Path) -> None:
    journal = Journal(said(COLLECTOR, "one", priority=4), said(COLLECTOR, "two"), said("ssh.service", "no"))
    logs = collect(journal, UNITS, SINCE, tmp_path)
    assert [(log.host, log.unit, log.lines, log.warnings) for log in logs.files] == [("edge", COLLECTOR, 2, 1)]
    assert (tmp_path / logs.files[0].path).read_text().splitlines() == [
        "2023-11-14 22:13:20.000000 ! one",
        "2023-11-14 22:13:20.000000   two",
    ]
    assert "ssh.service" not in journal.asked[0]
    assert len(journal.asked) == 1


def test_a_unit_has_so_many_lines_and_no_more_and_old_files_go(tmp_path: Path) -> None:
    collect(Journal(said(COLLECTOR, "old")), UNITS, SINCE, tmp_path)
    (log,) = collect(Journal(*(said(REDIS, str(n), at=n) for n in range(LINES + 50))), UNITS, SINCE, tmp_path).files
    assert log.lines == LINES
    assert sorted(path.name for path in (tmp_path / "logs").iterdir()) == ["edge-redis-server.txt", "edge.html"]


def test_a_unit_that_says_much_pushes_no_other_out(tmp_path: Path) -> None:
    chatter = (said(REDIS, str(n), at=1 + n / 1000) for n in range(10 * LINES))
    logs = collect(Journal(said(COLLECTOR, "why it ended"), *chatter), UNITS, SINCE, tmp_path)
    assert {log.unit: log.lines for log in logs.files} == {COLLECTOR: 1, REDIS: LINES}


def test_each_line_of_a_host_has_its_place_on_one_page_in_the_order_of_time(tmp_path: Path) -> None:
    lines = (said(REDIS, "second", at=1), said(COLLECTOR, "<b>third", at=2, priority=3), said(COLLECTOR, "first"))
    (host,) = collect(Journal(*lines), UNITS, SINCE, tmp_path).hosts
    page = (tmp_path / host.path).read_text()
    assert re.findall(r'<li id="(\w+)".*<span>(.*)</span>', page) == [
        ("L1", "first"),
        ("L2", "second"),
        ("L3", "&lt;b&gt;third"),
    ]
    texts = re.findall(r'href="([^#"]+)"', page)
    assert texts == ["edge-himari-collector.txt", "edge-redis-server.txt"]
    assert all((tmp_path / host.path).with_name(text).exists() for text in texts)
    assert "<script" not in page
    assert "src=" not in page


def test_a_period_ends_where_it_is_said_to(tmp_path: Path) -> None:
    lines = (said(REDIS, "before", at=-5), said(REDIS, "in it", at=2.5), said(REDIS, "behind", at=60))
    period = Period(since_ns=START, until_ns=START + 2_700_000_000)
    (host,) = collect(Journal(*lines), UNITS, period, tmp_path, "logs/drill-one").hosts
    assert [entry.text for entry in host.entries] == ["in it"]
    assert host.path == "logs/drill-one/edge.html"


def test_a_host_that_is_silent_has_no_logs_and_keeps_no_other_from_having_some(tmp_path: Path) -> None:
    journal = Journal(said(REDIS, "here"), silent=["brain"])
    logs = collect(journal, [*UNITS, ("brain", [REDIS])], SINCE, tmp_path)
    assert [host.host for host in logs.hosts] == ["edge"]
    assert collect(Journal(silent=["edge"]), UNITS, SINCE, tmp_path).files == []


@given(key=st.binary(min_size=32, max_size=48))
def test_a_key_does_not_get_through_as_hexadecimal(key: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    text = _written(tmp_path_factory.mktemp("logs"), f"AUTH pusher:{key.hex()}@")
    assert key.hex() not in text
    assert text.count(STRUCK) == 2  # on the page, in the text


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_key_does_not_get_through_as_base64(encode: Callable[[bytes], bytes], tmp_path: Path) -> None:
    keys = [encode(secrets.token_bytes(32)).decode() for _ in range(200)]
    text = _written(tmp_path, *(f"PrivateKey={key}" for key in keys))
    assert [key for key in keys if key[:20] in text] == []


def test_paths_and_figures_stay(tmp_path: Path) -> None:
    path = "sealed /var/lib/himari/journal/00000001-000000000001-000000004711.seg, 4,711 records in 60.0 s"
    assert _written(tmp_path, path).count(path) == 2


def _written(folder: Path, *texts: str) -> str:
    """All that is written of lines of Redis."""
    collect(Journal(*(said(REDIS, text) for text in texts)), UNITS, SINCE, folder)
    return "".join(path.read_text() for path in (folder / "logs").iterdir())
