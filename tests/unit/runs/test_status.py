"""The probe itself runs here, on this machine; the verdict is judged on what a host in trouble would say."""

import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from himari.catalog import collector, consumer, deadman, self_check
from himari.runs import consumers, status_probe
from himari.runs.status import CONSUMER, PUT_ASIDE, SELF_CHECK_LIMIT_S, Probe, read_probe
from himari.runs.verdict import COLLECTOR, judge
from himari.stack.model import Retention

RETENTION = Retention()  # a Parquet file a minute
WELL: dict[str, Any] = {
    "units": [
        {"name": "himari-collector.service", "active": "active", "sub": "running", "result": "success", "restarts": 0}
    ],
    "cpu_percent": [3.0, 97.0],
    "memory": {"total_mb": 4000, "available_mb": 3000},
    "disk": {"folder": "/var/lib/himari", "total_bytes": 100, "free_bytes": 60},
    "tunnels": [{"peer": "brain", "handshake_s": 20.0, "received_bytes": 1, "sent_bytes": 2, "round_trip_ms": 240.1}],
    "health": [
        {"source": "edge", "streams": [{"name": "md:binance:_:meta", "length": 9, "last_id": "1-9", "age_s": 0.7}]}
    ],
    "errors": [],
}
AGAIN = "looks again: himari lab exec edge -- systemctl start himari-self-check-"


def probe(**changed: Any) -> Probe:
    return read_probe(json.dumps({**WELL, **changed}).encode())


def unit(active: str, result: str, says: str = "", *, timed: bool = False) -> dict[str, Any]:
    seen = {"name": "x.service", "active": active, "sub": "dead", "result": result, "restarts": 0}
    return {**seen, "says": says, "timed": timed}


def tunnel(handshake_s: float | None) -> dict[str, Any]:
    return {**WELL["tunnels"][0], "handshake_s": handshake_s}


def stream(name: str, age_s: float | None) -> dict[str, Any]:
    return {"source": "edge", "streams": [{"name": name, "length": 1, "last_id": "1-1", "age_s": age_s}]}


def journal(newest_age_s: float | None) -> dict[str, Any]:
    return {"bytes": 1, "segments": 1, "oldest_age_s": 60.0, "newest_age_s": newest_age_s}


def parquet(last_age_s: float | None, frame_age_s: float | None = None) -> dict[str, Any]:
    return {"bytes": 1, "files": 1, "last_age_s": last_age_s, "last_frame_age_s": frame_age_s}


EMPTY = {"source": "edge", "streams": [{"name": "md:binance:_:meta", "length": 0, "last_id": "0-0", "age_s": None}]}


def test_a_brain_that_catches_up_says_so_instead_of_silence() -> None:
    says = "catching up: 52000 records behind, about 31 s left"
    health = [{"source": "edge", "parquet": parquet(4000.0, 4000.0)}]
    seen = judge("brain", probe(units=[unit("active", "success", says=says)], health=health), RETENTION)
    assert seen.wrong == (f"x.service {says}",)


def test_a_host_that_is_well_has_nothing_wrong() -> None:
    assert judge("edge", probe(), RETENTION).wrong == ()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"units": [unit("failed", "signal")]}, "x.service is failed"),
        ({"units": [unit("inactive", "exit-code")]}, "x.service is inactive (dead, exit-code)"),
        ({"units": [unit("inactive", "success")]}, "x.service is inactive (dead)"),
        ({"units": [unit("failed", "exit-code", timed=True)]}, "x.service failed when it last ran (exit-code)"),
        ({"units": [unit("activating", "timeout", timed=True)]}, "x.service failed when it last ran (timeout)"),
        ({"units": [unit("active", "success", says="no line, 9 records")]}, "x.service has no line to the venue"),
        (
            {"units": [unit("active", "success", says="cannot store: /var/x: Read-only file system")]},
            "x.service cannot store: /var/x: Read-only file system",
        ),
        ({"disk": {"folder": "/var", "total_bytes": 1000, "free_bytes": 99}}, "/var has"),
        ({"memory": {"total_mb": 4000, "available_mb": 100}}, "100 MB of memory left"),
        ({"tunnels": [tunnel(None)]}, "no WireGuard handshake with brain"),
        ({"tunnels": [tunnel(181.0)]}, "handshake with brain 181 s ago"),
        ({"health": [{"source": "edge", "error": "the buffer is silent"}]}, "the buffer is silent"),
        ({"health": [stream("md:binance:_:meta", 31.0)]}, "md:binance:_:meta is 31 s old"),
        (
            {"health": [{**stream("md:binance:_:meta", None), "journal": journal(0.5)}]},
            "md:binance:_:meta: its last entry, 1-1, is older than the journal's last two segments",
        ),
        ({"health": [{"source": "edge", "journal": journal(31.0)}]}, "the journal's newest record is 31 s old"),
        (
            {"health": [{"source": "edge", "parquet": parquet(9.0, 106.0)}]},
            "the venue's newest frame in Parquet is 106 s",
        ),
        ({"health": [{"source": "edge", "parquet": parquet(99.0)}]}, "the newest record in Parquet is 99 s old"),
    ],
)
def test_what_is_wrong_is_named(changed: dict[str, Any], said: str) -> None:
    [wrong] = judge("edge", probe(**changed), RETENTION).wrong
    assert said in wrong


@pytest.mark.parametrize(
    "changed",
    [
        {"units": [unit("inactive", "success", timed=True)]},
        {"units": [unit("activating", "success", timed=True)]},
        {"health": [stream("md:binance:BTC/USDT:trades", 900.0)]},
        {"health": [{**stream("md:binance:BTC/USDT:trades", None), "journal": journal(0.5)}]},
        {"health": [{"source": "edge", "parquet": parquet(59.0)}]},
    ],
    ids=[
        "a oneshot between two runs",
        "a oneshot at work",
        "a quiet symbol",
        "a symbol quiet for longer",
        "a file that is still being filled",
    ],
)
def test_what_looks_wrong_and_is_not(changed: dict[str, Any]) -> None:
    assert judge("edge", probe(**changed), RETENTION).wrong == ()


NOTHING = {
    "journal": (COLLECTOR, {"source": "edge", "journal": journal(None)}, 30, "the journal has no record"),
    "store": (
        CONSUMER,
        {"source": "edge", "parquet": parquet(None)},
        RETENTION.stored_age_most_s,
        "no record in Parquet",
    ),
    "stream, on the edge": (COLLECTOR, EMPTY | {"journal": journal(0.5)}, 30, "md:binance:_:meta is empty"),
    "stream, on the brain": (CONSUMER, EMPTY | {"parquet": parquet(9.0)}, 30, "md:binance:_:meta is empty"),
}


@pytest.mark.parametrize("nothing", NOTHING.values(), ids=list(NOTHING))
def test_nothing_at_all_is_wrong_once_there_was_time_for_something(
    nothing: tuple[str, dict[str, Any], float, str],
) -> None:
    name, health, most, said = nothing
    for active_s, told in ((most - 1, 0), (most + 1, 1), (None, 0)):
        filling = {**unit("active", "success"), "name": name, "active_s": active_s}
        wrong = judge("edge", probe(units=[filling], health=[health]), RETENTION).wrong
        assert len(wrong) == told
        assert all(said in line for line in wrong)


def test_the_units_that_fill_journal_and_store_are_those_of_the_catalog() -> None:
    assert (COLLECTOR, CONSUMER) == (collector.UNIT, consumer.UNIT)


@pytest.mark.parametrize(
    ("state", "entered_us", "active"),
    [("active", "1000000", True), ("active", "0", False), ("failed", "1000000", False)],
)
def test_a_unit_is_active_since_it_entered_that_state(state: str, entered_us: str, active: bool) -> None:
    seconds = status_probe.active_seconds({"ActiveState": state, "ActiveEnterTimestampMonotonic": entered_us})
    assert seconds == (pytest.approx(time.monotonic() - 1, abs=5) if active else None)


def test_what_is_no_probe_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="cpu_percent"):
        read_probe(json.dumps({**WELL, "cpu_percent": "all"}).encode())


def test_the_probe_looks_at_this_machine_with_nothing_but_python(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as venue:
        settings = tmp_path / "collector.toml"
        settings.write_text(f'[venue]\nwebsocket_url = "wss://127.0.0.1:{venue.getsockname()[1]}"\n')
        what = {
            "units": [],
            "timed": [],
            "beyond_containers": [],
            "ours": [],
            "folder": str(tmp_path),
            "peers": {},
            "runtime": "",
            "credstore": "",
            "health": [],
            "collector": str(settings),
            "patience_s": 8.0,
            "cutover": "",
            "self_checks": "",
        }
        looked = read_probe(run_probe(what))
    assert all(0 <= percent <= 100 for percent in looked.cpu_percent)
    assert 0 < looked.memory.available_mb <= looked.memory.total_mb
    assert 0 < looked.disk.free_bytes <= looked.disk.total_bytes
    assert looked.venue_round_trip_ms is not None
    assert 0 < looked.venue_round_trip_ms < 3000


def test_a_service_that_does_not_answer_is_wrong(tmp_path: Path) -> None:
    service = {"settings": "/none", "credential": "none", "user": "nobody"}
    what = {
        "units": [],
        "timed": [],
        "beyond_containers": [],
        "ours": [],
        "folder": "/",
        "peers": {},
        "runtime": "/no/such",
        "credstore": "/none",
        "health": [service],
        "collector": "/none",
        "patience_s": 8.0,
        "cutover": "",
        "self_checks": "",
    }
    looked = read_probe(run_probe(what))
    assert judge("edge", looked, RETENTION).wrong == ("the health command of nobody gives no answer",)
    assert looked.venue_round_trip_ms is None


def run_probe(what: dict[str, Any]) -> bytes:
    script = Path(status_probe.__file__).read_bytes()
    argv = (sys.executable, "-I", "-S", "-", json.dumps(what))
    return subprocess.run(argv, input=script, capture_output=True, check=True).stdout


@pytest.mark.parametrize(
    ("stage", "wrong"),
    [
        ("cut over", ""),
        ("rolled back", ""),
        ("both consumers run", "himari cutover, or rollback"),
        ("the old consumer is being put back", "himari rollback"),
    ],
)
def test_a_cutover_that_is_half_done_is_wrong_and_says_what_ends_it(stage: str, wrong: str) -> None:
    seen = probe(cutover={"stage": stage, "at": "2026-01-01T00:00:00+00:00", "unit": "old.service"})
    told = "; ".join(judge("brain", seen, RETENTION).wrong)
    assert told.endswith(wrong)
    assert bool(told) is bool(wrong)


BACK = {"stage": "rolled back", "at": "2026-01-01T00:00:00+00:00", "unit": "old.service"}
RAN = {"name": "old.service", "active": "active", "sub": "running", "result": "success", "restarts": 0}
OFF = {"sub": "dead", "restarts": 0, "enabled": "disabled"}
PUT = [
    {**OFF, "name": CONSUMER, "active": "inactive", "result": "success"},
    {**OFF, "name": deadman.TIMER, "active": "inactive", "result": "success"},
    {**OFF, "name": deadman.SERVICE, "active": "failed", "result": "exit-code", "timed": True, "enabled": "static"},
]
STALE = [{"source": "edge", "parquet": parquet(4000.0, 4000.0)}]


def test_what_a_rollback_put_aside_is_not_wrong() -> None:
    seen = probe(cutover=BACK, old_consumer=RAN, units=PUT, health=STALE)
    assert judge("brain", seen, RETENTION).wrong == ()
    assert seen.cutover
    assert seen.cutover.says == "rolled back: old.service is in charge"


@pytest.mark.parametrize("stage", ["cut over", "both consumers run", None])
def test_without_a_rollback_the_same_units_are_wrong(stage: str | None) -> None:
    seen = probe(cutover=stage and {**BACK, "stage": stage}, old_consumer=RAN, units=PUT, health=STALE)
    wrong = "; ".join(judge("brain", seen, RETENTION).wrong)
    assert [name for name in (CONSUMER, deadman.TIMER, deadman.SERVICE, "newest record") if name not in wrong] == []


def test_ours_is_judged_where_it_was_started_again_beside_the_old_one() -> None:
    failed = {**PUT[0], "active": "failed", "result": "exit-code", "enabled": "enabled"}
    seen = probe(cutover=BACK, old_consumer=RAN, units=[failed], health=STALE)
    assert judge("brain", seen, RETENTION).wrong[0] == f"{CONSUMER} is failed (dead, exit-code)"
    assert len(judge("brain", seen, RETENTION).wrong) == 3


def test_an_old_consumer_that_is_in_charge_and_does_not_run_is_wrong() -> None:
    seen = probe(cutover=BACK, old_consumer={**RAN, "active": "failed", "result": "exit-code"}, units=PUT)
    (wrong,) = judge("brain", seen, RETENTION).wrong
    assert wrong.startswith("rolled back: old.service is in charge, but old.service is failed")


def test_what_is_put_aside_is_what_a_rollback_stops() -> None:
    assert tuple(PUT_ASIDE) == consumers.OURS
    assert PUT_ASIDE[deadman.TIMER] == (deadman.SERVICE,)


def test_the_consumer_of_a_note_is_looked_at() -> None:
    assert (status_probe.old_consumer({"unit": "no-such-thing.service"}) or {}).get("active", "") != "active"
    assert status_probe.old_consumer(None) is None


@pytest.mark.parametrize(
    ("name", "hours", "wrong", "told"),
    [
        ("daily", 25, [], ()),
        ("daily", 27, [], (f"its daily self-check is 27 hours old; {AGAIN}daily",)),
        ("weekly", 27, [], ()),
        ("weekly", 193, [], (f"its weekly self-check is 193 hours old; {AGAIN}weekly",)),
        ("daily", 2, ["no memory", "no disk"], (f"daily self-check, 2.0 hours ago: no memory; no disk; {AGAIN}daily",)),
    ],
)
def test_a_self_check_is_told_with_an_age_limit_and_what_looks_again(
    name: str, hours: int, wrong: list[str], told: tuple[str, ...]
) -> None:
    seen = probe(self_checks=[{"name": name, "age_s": hours * 3600.0, "wrong": wrong}])
    assert judge("edge", seen, RETENTION, "himari lab exec edge -- ").wrong == told
    typed = tuple(line.replace("himari lab exec edge -- ", "as root there: ") for line in told)
    assert judge("edge", seen, RETENTION).wrong == typed


def test_what_looks_again_is_what_the_timer_starts() -> None:
    for name in self_check.EVERY_HOURS:
        assert f"{AGAIN}{name}.service".endswith(f" {self_check.service(name)}")


def looking(name: str, active: str, active_s: float | None = None) -> dict[str, Any]:
    """A self-check's unit."""
    return {**unit(active, "success", timed=name.endswith("service")), "name": name, "active_s": active_s}


@pytest.mark.parametrize("name", list(self_check.EVERY_HOURS))
@pytest.mark.parametrize(
    ("waited_s", "look", "told"), [(239.0, "inactive", 0), (241.0, "inactive", 1), (241.0, "activating", 0)]
)
def test_a_self_check_that_was_never_made_is_wrong_once_it_is_overdue(
    name: str, waited_s: float, look: str, told: int
) -> None:
    units = [looking(self_check.timer(name), "active", waited_s), looking(self_check.service(name), look)]
    wrong = judge("edge", probe(units=units), RETENTION, first_look_s=self_check.FIRST_LOOK_MOST_S).wrong
    assert len(wrong) == told
    assert all(line.startswith(f"no {name} self-check was made") for line in wrong)
    made = probe(units=units, self_checks=[{"name": name, "age_s": 1.0, "wrong": []}])
    assert judge("edge", made, RETENTION, first_look_s=self_check.FIRST_LOOK_MOST_S).wrong == ()
    assert judge("edge", probe(units=units), RETENTION).wrong == ()


def test_each_self_check_has_an_age_limit() -> None:
    assert list(SELF_CHECK_LIMIT_S) == list(self_check.EVERY_HOURS)


def test_verdicts_that_the_host_noted_are_read_with_their_age(tmp_path: Path) -> None:
    (tmp_path / "daily.json").write_text(json.dumps({"name": "daily", "at": time.time() - 60, "wrong": ["x"]}))
    (tmp_path / "weekly.json").write_text("half a fi")
    (found,) = status_probe.self_checks(str(tmp_path))
    assert (found["name"], found["wrong"]) == ("daily", ["x"])
    assert found["age_s"] >= 60


def test_an_entry_of_the_journal_is_told_with_its_unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # systemd speaks of a unit from its own scope; a message that is no UTF-8 comes as bytes.
    entries = [
        {"_SYSTEMD_UNIT": "himari-collector.service", "MESSAGE": "no line"},
        {"_SYSTEMD_UNIT": "init.scope", "UNIT": "himari-consumer.service", "MESSAGE": "Failed to start"},
        {"_SYSTEMD_UNIT": "redis-buffer.service", "MESSAGE": [110, 111]},
    ]
    printed = tmp_path / "entries"
    printed.write_text("".join(json.dumps({"__REALTIME_TIMESTAMP": "1000000", **one}) + "\n" for one in entries))
    journalctl = tmp_path / "journalctl"
    journalctl.write_text(f"#!/bin/sh\ncat {printed}\n")
    journalctl.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    looked = probe(errors=list(status_probe.errors(["x.service"])))
    assert [(one.unit, one.says) for one in looked.errors] == [
        ("himari-collector.service", "no line"),
        ("himari-consumer.service", "Failed to start"),
        ("redis-buffer.service", "no"),
    ]
    assert {one.at for one in looked.errors} == {"1970-01-01T00:00:01+00:00"}
