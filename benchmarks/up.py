"""`himari up lab-edge`: cold (no image, no wheels; packages come from the mirror), with caches, and unchanged.

Seconds of each step. The ledger's window, in which nothing is done but wait, is no part of an unchanged run; all else
that the proof takes is. Nor are the window's own commands, those of the wait for it and those for its logs, among the
remote commands of a host. The reference of the same run is the machine's own `python -m venv`, which is what disk and
CPU do here without us."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks._lab import STACK, BenchLab, own_lab
from benchmarks._machine import MissedError, load, verdict
from himari.catalog.component import Feed
from himari.proof.window import is_of_window
from himari.runs.report import UpReport
from himari.runs.validate import window_seconds
from himari.stack.load import load_stack

COLD_S, CACHED_S, UNCHANGED_S, COMMANDS = 180.0, 90.0, 10.0, 2
HOSTS = tuple(load_stack(STACK).hosts)


def main() -> None:
    """Print the three ways; raises MissedError where one is beyond a limit, or where the unchanged one changed."""
    reference = _reference()
    print(f"the reference, python -m venv: {reference:.1f} s")
    with tempfile.TemporaryDirectory(prefix="himari-bench-cache-") as cache:
        with own_lab(HIMARI_CACHE=cache) as lab:
            missed = _show("cold", lab.up(), COLD_S, reference)
        with own_lab(HIMARI_CACHE=cache) as lab:
            missed += _show("with caches", lab.up(), CACHED_S, reference)
            missed += _unchanged(lab, reference)
    if missed:
        raise MissedError(", ".join(missed))


def _unchanged(lab: BenchLab, reference: float) -> list[str]:
    """Runs it once more; what of it is beyond a limit."""
    start = f"{time.time():.6f}"
    report = lab.up()
    window = window_seconds(load_stack(STACK), Feed())
    missed = _show("unchanged", report, UNCHANGED_S, reference, apart=window)
    print(f"  changed: {', '.join(report.changed) or 'nothing'}")
    counts = {host: len(_commands(lab, host, start)) for host in HOSTS}
    for host, count in counts.items():
        print(f"  {host}: {count} remote commands as root, limit {COMMANDS}: {verdict(count, COMMANDS)}")
    missed += [f"commands on {host}" for host, count in counts.items() if count > COMMANDS]
    return [*missed, "changes where there are none"] if report.changed else missed


def _show(name: str, report: UpReport, limit: float, reference: float, apart: float = 0.0) -> list[str]:
    """What of it is beyond the limit."""
    seconds = report.seconds - apart
    print(
        f"{name}: {seconds:.1f} s, {seconds / reference:.1f} times the reference, limit {limit:.0f} s: "
        f"{verdict(seconds, limit)}; {'green' if report.green else 'RED'}; {load()}"
    )
    print("  " + ", ".join(f"{row.phase} {row.seconds:.1f}" for row in report.rows if row.seconds))
    if apart:
        print(f"  the ledger's window of {apart:.0f} s apart, which `validate` waits for")
    return [name] if seconds > limit or not report.green else []


def _commands(lab: BenchLab, host: str, start: str) -> list[str]:
    """What root ran over ssh since `start` (seconds since 1970), without what belongs to the window."""
    told = lab.inside(host, f"journalctl --quiet --no-pager -o cat -t sudo --since @{start}")
    ran = [line.partition("COMMAND=")[2] for line in told.splitlines() if "COMMAND=" in line]
    return [command for command in ran if not is_of_window(command)]


def _reference() -> float:
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        subprocess.run((sys.executable, "-m", "venv", Path(folder) / "venv"), check=True)
        return time.perf_counter() - began


if __name__ == "__main__":
    main()
