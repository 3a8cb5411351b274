"""How soon data goes on in a lab: after kill -9 of the collector, and after Redis was away.

Killed: from the signal until Redis shows the first record of the next epoch, best and worst of five; beside it, until
the first of a symbol. The reference is what comes before any line of ours runs: systemd's wait before it starts a unit
again, and the interpreter's start with the collector's imports.

Away: Redis is stopped until more than a minute of real time waits in the journal, then started. From its first answer
until what Redis shows is live again, so many seconds of data are caught up in a second: the pusher's wait before it
tries again is in it, and printed by itself. The reference is how long Redis itself took to start.

The edge is watched from inside, by its own clock. The brain's dead-man rests meanwhile, and all is started again."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import msgspec

from benchmarks._lab import BenchLab, any_lab
from benchmarks._machine import MissedError, commit, load, verdict, verdict_least
from benchmarks._recovered import Away, Killed
from himari.catalog.collector import UNIT as COLLECTOR
from himari.catalog.deadman import TIMER as DEADMAN
from himari.catalog.hostpaths import COLLECTOR_SETTINGS, CREDENTIALS, RUNTIME_VENV
from himari.catalog.redis_buffer import OPERATOR
from himari.catalog.redis_buffer import UNIT as REDIS
from himari.stack.paths import PROJECT

RUNS = 5
RECORD_SECONDS = 3.0
AWAY_SECONDS = 100.0  # the pusher tries again after up to ten: ten times as much shall hide none of it
PACE_LEAST = 10.0  # seconds of data in a second
BACKLOG_SECONDS = 60.0
SCRIPT = "/run/himari-bench-recovered.py"
PYTHON = f"{RUNTIME_VENV}/bin/python"
IMPORTS = b"""\
import subprocess, sys, time
began = time.monotonic()
subprocess.run((sys.executable, "-c", "import himari_runtime.services.collector"), check=True)
print(time.monotonic() - began)
"""
T = TypeVar("T", Killed, Away)


def main() -> None:
    """Print both; raises MissedError where one is beyond its limit."""
    with any_lab() as lab, _watched(lab):
        print(f"{commit()}; {load()}")
        times = [_ask(lab, Killed, "killed") for _ in range(RUNS)]
        _show_killed(lab, times)
        back = _ask(lab, Away, "away", REDIS, f"{AWAY_SECONDS:.0f}")
        pace = back.caught_up / back.seconds
        _show_away(back, pace)
    if max(one.record for one in times) > RECORD_SECONDS:
        raise MissedError("the collector's first record came late")
    if back.waited < BACKLOG_SECONDS or pace < PACE_LEAST:
        raise MissedError("Redis was not caught up in time")


@contextmanager
def _watched(lab: BenchLab) -> Iterator[None]:
    """The script is on the edge, and nobody is woken; afterwards all runs that ran."""
    lab.inside("brain", f"systemctl stop {DEADMAN}")
    try:
        lab.inside("edge", f"cat >{SCRIPT}", (PROJECT / "benchmarks" / "_recovered.py").read_bytes())
        yield
    finally:
        lab.inside("edge", f"rm -f {SCRIPT}; systemctl start {REDIS} {COLLECTOR}")
        lab.inside("brain", f"systemctl start {DEADMAN}")


def _ask(lab: BenchLab, answer: type[T], *words: str) -> T:
    password = f"systemd-creds decrypt --name={OPERATOR} {CREDENTIALS}/{OPERATOR} -"
    script = f"{PYTHON} {SCRIPT} {COLLECTOR_SETTINGS} {COLLECTOR} {' '.join(words)}"
    return msgspec.json.decode(lab.inside("edge", f"{password} | {script}"), type=answer)


def _show_killed(lab: BenchLab, times: list[Killed]) -> None:
    wait = lab.inside("edge", f"systemctl show --value --property=RestartUSec {COLLECTOR}").strip()
    imports = min(float(lab.inside("edge", f"{PYTHON} -", IMPORTS)) for _ in range(RUNS))
    records, symbols = sorted(one.record for one in times), sorted(one.of_symbol for one in times)
    print(
        f"collector killed, {RUNS} times: first record in Redis after {records[0]:.2f} to {records[-1]:.2f} s, "
        f"limit {RECORD_SECONDS:.0f} s: {verdict(records[-1], RECORD_SECONDS)}; {load()}"
    )
    print(f"  first of a symbol after {symbols[0]:.2f} to {symbols[-1]:.2f} s")
    print(f"  the reference: systemd waits {wait}, the interpreter needs {imports:.2f} s for its imports")


def _show_away(back: Away, pace: float) -> None:
    print(
        f"Redis back after {back.waited:.0f} s, at least {BACKLOG_SECONDS:.0f}: "
        f"{back.caught_up:.1f} s of data caught up in {back.seconds:.2f} s, {pace:.1f} s a second, "
        f"at least {PACE_LEAST:.0f}: {verdict_least(pace, PACE_LEAST)}; {load()}"
    )
    print(f"  of these {back.silent:.2f} s until the pusher's first")
    print(f"  the reference: Redis itself started in {back.started:.2f} s")


if __name__ == "__main__":
    main()
