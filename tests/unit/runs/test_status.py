"""The probe itself runs here, on this machine; the verdict is judged on what a host in trouble would say."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from himari.runs import status_probe
from himari.runs.status import Probe, judge, read_probe

WELL: dict[str, Any] = {
    "units": [
        {"name": "himari-collector.service", "active": "active", "sub": "running", "result": "success", "restarts": 0}
    ],
    "cpu_percent": [3.0, 97.0],
    "memory": {"total_mb": 4000, "available_mb": 3000},
    "disk": {"folder": "/var/lib/himari", "total_bytes": 100, "free_bytes": 60},
    "journal": {"segments": 3, "bytes": 4096, "oldest_s": 61.0},
    "tunnels": [{"peer": "brain", "handshake_s": 20.0, "received_bytes": 1, "sent_bytes": 2, "round_trip_ms": 240.1}],
    "health": [{"service": "collector", "streams": [{"name": "md:binance:_:meta", "length": 9, "age_s": 0.7}]}],
    "errors": [],
}


def probe(**changed: Any) -> Probe:
    return read_probe(json.dumps({**WELL, **changed}).encode())


def unit(active: str, result: str) -> dict[str, Any]:
    return {"name": "x.service", "active": active, "sub": "", "result": result, "restarts": 0}


def tunnel(handshake_s: float | None) -> dict[str, Any]:
    return {**WELL["tunnels"][0], "handshake_s": handshake_s}


def test_a_host_that_is_well_has_nothing_wrong() -> None:
    assert judge("edge", probe()).wrong == ()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"units": [unit("failed", "signal")]}, "x.service is failed"),
        ({"units": [unit("inactive", "exit-code")]}, "x.service is inactive"),
        ({"disk": {"folder": "/var", "total_bytes": 1000, "free_bytes": 99}}, "/var has"),
        ({"memory": {"total_mb": 4000, "available_mb": 100}}, "100 MB of memory left"),
        ({"tunnels": [tunnel(None)]}, "no WireGuard handshake with brain"),
        ({"tunnels": [tunnel(181.0)]}, "handshake with brain 181 s ago"),
        ({"health": [{"service": "consumer", "newest_record_s": 31.0}]}, "consumer: newest record is 31 s old"),
        ({"health": [{"streams": [{"name": "md:binance:_:meta", "length": 1, "age_s": 31.0}]}]}, "last entry 31 s ago"),
    ],
)
def test_what_is_wrong_is_named(changed: dict[str, Any], said: str) -> None:
    [wrong] = judge("edge", probe(**changed)).wrong
    assert said in wrong


@pytest.mark.parametrize(
    "changed",
    [
        {"units": [unit("inactive", "success")]},
        {"health": [{"streams": [{"name": "md:binance:BTC/USDT:trades", "length": 1, "age_s": 900.0}]}]},
    ],
    ids=["a oneshot between two runs", "a quiet symbol"],
)
def test_what_looks_wrong_and_is_not(changed: dict[str, Any]) -> None:
    assert judge("edge", probe(**changed)).wrong == ()


def test_what_is_no_probe_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="cpu_percent"):
        read_probe(json.dumps({**WELL, "cpu_percent": "all"}).encode())


def test_the_probe_looks_at_this_machine_with_nothing_but_python(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    journal.mkdir()
    (journal / "00000001-000000000001-000000000007.seg").write_bytes(b"x" * 100)
    (journal / "00000001-000000000008.open").write_bytes(b"y" * 11)
    what = {
        "units": [],
        "folder": str(tmp_path),
        "peers": {},
        "health": [["no-such-program"], ["echo", '{"service":"c"}']],
    }
    script = Path(status_probe.__file__).read_bytes()
    seen = subprocess.run(
        (sys.executable, "-I", "-S", "-", json.dumps(what)), input=script, capture_output=True, check=True
    )
    looked = read_probe(seen.stdout)
    assert looked.journal is not None
    assert (looked.journal.segments, looked.journal.bytes) == (2, 111)
    assert all(0 <= percent <= 100 for percent in looked.cpu_percent)
    assert looked.memory.available_mb <= looked.memory.total_mb
    assert [health.service for health in looked.health] == ["c"]
