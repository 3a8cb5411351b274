"""The journal files a service's lines under their levels."""

import logging

import pytest

from himari_runtime.systemd import JournalFormatter


def line(level: int, text: str) -> str:
    return JournalFormatter("%(levelname)s %(message)s").format(
        logging.LogRecord("feeds", level, __file__, 1, text, None, None)
    )


def test_each_line_has_its_priority_for_the_journal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "8:1234")
    assert line(logging.ERROR, "no room\non the disk") == "<3>ERROR no room\n<3>on the disk"
    assert line(logging.WARNING, "slow") == "<4>WARNING slow"
    assert line(logging.INFO, "up") == "<6>INFO up"


def test_elsewhere_lines_are_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    assert line(logging.ERROR, "no room") == "ERROR no room"
