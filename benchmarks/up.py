"""`himari up lab-edge`: cold (no image, no wheels; packages come from the mirror), with caches, and unchanged.

Seconds of each step; the ledger's window, which only waits, is inside `validate`. The reference of the same run is the
machine's own `python -m venv`, which is what disk and CPU do here without us."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks._lab import BenchLab, own_lab
from benchmarks._machine import load, verdict
from himari.runs.report import UpReport

COLD_S, CACHED_S, UNCHANGED_S, COMMANDS = 180.0, 90.0, 10.0, 2
WINDOW_STEP = "validate"


def main() -> None:
    """Print the three ways; a limit that is missed is said, not raised."""
    reference = _reference()
    print(f"the reference, python -m venv: {reference:.1f} s")
    with tempfile.TemporaryDirectory(prefix="himari-bench-cache-") as cache:
        with own_lab(HIMARI_CACHE=cache) as lab:
            _show("cold", lab.up(), COLD_S, reference)
        with own_lab(HIMARI_CACHE=cache) as lab:
            _show("with caches", lab.up(), CACHED_S, reference)
            unchanged = lab.up()
            _show("unchanged", unchanged, UNCHANGED_S, reference, apart=_seconds(unchanged, WINDOW_STEP))
            print(f"  changed: {', '.join(unchanged.changed) or 'nothing'}")
            _show_commands(lab)


def _show(name: str, report: UpReport, limit: float, reference: float, apart: float = 0.0) -> None:
    seconds = report.seconds - apart
    print(
        f"{name}: {seconds:.1f} s, {seconds / reference:.1f} times the reference, limit {limit:.0f} s: "
        f"{verdict(seconds, limit)}; {'green' if report.green else 'RED'}; {load()}"
    )
    print("  " + ", ".join(f"{row.phase} {row.seconds:.1f}" for row in report.rows if row.seconds))
    if apart:
        print(f"  {WINDOW_STEP} apart ({apart:.1f} s), which waits for the ledger's window")


def _seconds(report: UpReport, phase: str) -> float:
    return sum(row.seconds for row in report.rows if row.phase == phase)


def _show_commands(lab: BenchLab) -> None:
    """Commands over ssh in an unchanged run: sessions that each host's sshd opened meanwhile."""
    began = int(time.time())
    lab.up()
    for host in ("exchange", "edge", "brain"):
        count = int(lab.inside(host, f"journalctl -q --since=@{began} _COMM=sudo -g 'COMMAND=' | wc -l"))
        print(f"  {host}: {count} remote commands as root, limit {COMMANDS}: {verdict(count, COMMANDS)}")


def _reference() -> float:
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        subprocess.run((sys.executable, "-m", "venv", Path(folder) / "venv"), check=True)
        return time.perf_counter() - began


if __name__ == "__main__":
    main()
