"""The evidence page in a real browser, on a desk and on a phone: nothing overflows, nothing is missing."""

import re
import struct
import zlib
from pathlib import Path

import msgspec
import pytest

from himari.proof.browser import follow, measure, photograph
from himari.proof.course import JOURNALED, STORED, Course, Delay, Rate, Span
from himari.proof.evidence import Check, DrillRecord, DrillWindow, Evidence, Ledger, Marks, Severity, Status, tally
from himari.proof.excerpts import Excerpt
from himari.proof.journal import Period
from himari.proof.logs import FOLDER, collect
from himari.proof.page import write_page
from himari.proof.source import Recording
from himari.proof.streams import StreamAccount
from tests.unit.proof.journals import Journal, said
from tests.unit.proof.samples import accounted

SECOND = 1_000_000_000
START = 1_767_323_045 * SECOND
DESK, PHONE = 1280, 390
SECTIONS = ("ledger", "streams", "difference", "timeline", "plots", "drills", "not-covered", "logs", "made-on")
LONG = "md:binance:1000SATSUSDT:trades/" * 6  # no place to break a line


def check(name: str, status: Status = Status.PASSED) -> Check:
    return Check(
        id=f"redis_buffer.{name}",
        phase="day02_redis",
        host="edge",
        says=f"the buffer keeps {name}",
        severity=Severity.CRITICAL,
        observed=LONG,
        status=status,
        reason="" if status is Status.PASSED else f"a container has none of {LONG}",
        replaces="day 2, step 4",
    )


def span(row: str, start: float, end: float, *, bad: bool = False, says: str = "") -> Span:
    return Span(row=row, start_ns=START + int(start * SECOND), end_ns=START + int(end * SECOND), bad=bad, says=says)


def delay(way: str, scale: float) -> Delay:
    over = [None if n == 7 else (scale * (1 + n % 3), scale * 9) for n in range(40)]
    return Delay(way=way, p50=scale * 2, p90=scale * 5, p99=scale * 9, greatest=scale * 20, over=over)


COURSE = Course(
    start_ns=START,
    end_ns=START + 20 * SECOND,
    step_ns=SECOND // 2,
    lines=[span("line 1", 0, 20, says="up"), span("line 2", 4, 9, says="closed in the window")],
    faults=[],
    gaps=[span("gap in book_ticker 1000SATS/USDT", 8, 12.5, says="reconnect: after 123456789012, before 123456789999")],
    rates=[Rate(symbol=f"COIN{n}USDT", events=[100.0 * n + step for step in range(40)]) for n in range(8)],
    delays=[delay(JOURNALED, 0.4), delay(STORED, 9000)],
)
STREAMS = [
    StreamAccount(
        symbol=symbol, channel=channel, sent=1_234_567, journaled=1_234_567, stored=1_234_000, in_gaps=567, lost=0
    )
    for symbol in ("BTCUSDT", "1000SATSUSDT")
    for channel in ("trade", "depth", "book_ticker")
]
DRILL = DrillRecord(
    name="collector-killed-and-both-lines-cut",
    says="the collector is killed",
    deadline="new data on the brain within 3 s",
    within=3.0,
    status=Status.PASSED,
    recovery_seconds=1.9,
    seen="restarts 0 → 1",
    marks=Marks(fail=START, lift=START + 2 * SECOND, restored=START + 4 * SECOND),
    seed=7,
    gaps=2,
    started="2026-01-02T03:04:05+00:00",
    commit="abc",
    not_covered="a power cut",
)


WINDOW = DrillWindow(
    drills=[DRILL.name],
    seed=DRILL.seed,
    started=DRILL.started,
    ledger=accounted(7_407_402, in_gaps=3402),
    course=msgspec.structs.replace(COURSE, faults=[span(DRILL.name, 0, 2, bad=True)]),
)


def evidence() -> Evidence:
    checks = [check("order"), check("memory"), check("cores", Status.NOT_COVERED)]
    return Evidence(
        stack="lab-edge",
        commit="0123456789ab",
        dirty=True,
        started="2026-01-02T03:04:05+00:00",
        seconds=42.0,
        versions={"himari": "0.1.0", "edge": "Debian GNU/Linux 12 (bookworm), Linux 6.1.0, systemd 252, Redis 7.0.15"},
        feed=Recording(name="spot.gz", sha256="ab" * 32, symbols=("BTC/USDT", "1000SATS/USDT"), speed=5.0),
        phases=tally(checks),
        checks=checks,
        ledger=Ledger(
            sent=7_407_402,
            journaled=7_407_402,
            stored=7_404_000,
            lost=0,
            invented=0,
            duplicates=0,
            gaps=6,
            gaps_undisclosed=0,
            events_in_gaps=3402,
            gap_seconds=4.5,
            fault_seconds=0.0,
            streams=STREAMS,
        ),
        drills=[DRILL],
        windows=[WINDOW],
        steps=[span("day08_runtime", -30, -5), span("proof", -5, 37)],
        course=COURSE,
    )


COLLECTOR = "himari-collector.service"
JOURNAL = Journal(*(said(COLLECTOR, f"{n} <b>{LONG}", at=n, priority=4 if n == 40 else 6) for n in range(80)))


def with_logs(whole: Evidence, beside: Path) -> Evidence:
    """`whole` with logs beside it, and their lines wherever lines can be linked."""
    logs = collect(JOURNAL, [("edge", [COLLECTOR])], Period(since_ns=0), beside)
    path = logs.hosts[0].path
    found = [
        Excerpt(host="edge", unit=unit, path=path, first=31, last=60, lines=30, warnings=1, warning=41)
        for unit in ("", "himari-collector")
    ]
    assert whole.course
    return msgspec.structs.replace(
        whole,
        checks=[msgspec.structs.replace(check("failed", Status.FAILED), logged=found), *whole.checks],
        drills=[msgspec.structs.replace(DRILL, logged=found)],
        course=msgspec.structs.replace(
            whole.course, gaps=[msgspec.structs.replace(gap, logged=found) for gap in whole.course.gaps]
        ),
        logs=logs.files,
    )


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All that a page can show, and a run before that was otherwise in all that can be compared; all folds open."""
    folder = tmp_path_factory.mktemp("page")
    whole = with_logs(evidence(), folder)
    before = msgspec.structs.replace(
        whole,
        seconds=7.0,
        versions={"edge": LONG},
        checks=[check("order", Status.FAILED)],
    )
    path = folder / "evidence.html"
    write_page(path, whole, before)
    path.write_text(re.sub(r"<details(?! open)", "<details open", path.read_text()))
    return path


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_nothing_overflows_and_all_is_there(page: Path, width: int) -> None:
    wide, high = measure(page, width)
    assert wide == width
    assert high > 1500


def test_what_is_too_wide_is_found(page: Path) -> None:
    broken = page.with_name("broken.html")
    broken.write_text(page.read_text().replace("</main>", '<p style="width:500px">wide</p></main>'))
    assert measure(broken, PHONE)[0] > PHONE


def test_every_section_is_there_once_and_the_page_is_small(page: Path) -> None:
    text = page.read_text()
    assert {name: text.count(f' id="{name}"') for name in SECTIONS} == dict.fromkeys(SECTIONS, 1)
    assert len(text.encode()) < 1_000_000
    assert "<script" not in text
    links = re.findall(r'(?:src|href)="([^"]*)"', text)
    files = ("logs/edge.html", "logs/edge-himari-collector.txt", "evidence.json", "evidence.xml")
    assert links[-4:] == list(files)
    assert {link.split("#")[0] for link in links[:-4]} == {"logs/edge.html"}


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_a_link_to_a_line_shows_that_line(page: Path, width: int) -> None:
    links = {link for link in re.findall(r'href="([^"]*)"', page.read_text()) if "#" in link}
    assert links == {"logs/edge.html#L31", "logs/edge.html#L41"}
    assert f"himari-collector30 <b>{LONG}" in follow(page, "logs/edge.html#L31", width)


def test_a_link_to_no_line_is_found(page: Path) -> None:
    broken = page.with_name("astray.html")
    broken.write_text(page.read_text().replace("#L31", "#L310"))
    assert follow(broken, "logs/edge.html#L310", DESK) == ""


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_a_page_of_lines_does_not_overflow(page: Path, width: int) -> None:
    assert measure(page.parent / FOLDER / "edge.html", width)[0] == width


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("wide", [DESK, PHONE])
def test_the_picture_is_not_blank(page: Path, tmp_path: Path, wide: int, dark: bool) -> None:
    photograph(page, tmp_path / "page.png", width=wide, height=900, dark=dark)
    width, height, rows = pixels(tmp_path / "page.png")
    assert (width, height) == (wide, 900)
    assert len(set(rows)) > 200  # lines of one colour alone are all the same
    assert (rows[0][1] < 64) is dark


def pixels(path: Path) -> tuple[int, int, list[bytes]]:
    """A PNG's width, height, and its rows as they are filtered."""
    data = path.read_bytes()
    width, height, depth, kind = struct.unpack(">IIBB", data[16:26])
    assert (depth, kind) in {(8, 2), (8, 6)}
    whole, place = b"", 8
    while place < len(data):
        length, name = struct.unpack(">I4s", data[place : place + 8])
        whole += data[place + 8 : place + 8 + length] if name == b"IDAT" else b""
        place += length + 12
    raw, stride = zlib.decompress(whole), 1 + width * (3 if kind == 2 else 4)
    return width, height, [raw[row : row + stride] for row in range(0, len(raw), stride)]
