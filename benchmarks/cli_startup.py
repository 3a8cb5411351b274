"""How long the command takes to say something: `himari --help` and `himari plan`, offline, best of five.

The reference is the same interpreter doing nothing, in the same run."""

import subprocess
import sys
import time

from benchmarks._machine import MissedError, verdict

RUNS = 5
REFERENCE = "python -c pass"
COMMANDS = {
    REFERENCE: (sys.executable, "-c", "pass"),
    "himari --help": (sys.executable, "-m", "himari.cli.main", "--help"),
    "himari plan lab-edge": (sys.executable, "-m", "himari.cli.main", "plan", "lab-edge"),
}
LIMITS_S = {"himari --help": 0.2, "himari plan lab-edge": 1.0}


def main() -> None:
    """Print the figures; raises MissedError where one is beyond its limit."""
    seconds = {name: best_of(argv) for name, argv in COMMANDS.items()}
    for name, took in seconds.items():
        beside = f"{name:<24} {took:6.3f} s  {took / seconds[REFERENCE]:4.1f} times the reference"
        print(f"{beside}, {_judged(name, took)}")
    if late := [name for name, limit in LIMITS_S.items() if seconds[name] > limit]:
        raise MissedError(", ".join(late))


def best_of(argv: tuple[str, ...]) -> float:
    """Seconds of the fastest of some runs: what the code costs, less what the machine did besides."""
    return min(_timed(argv) for _ in range(RUNS))


def _timed(argv: tuple[str, ...]) -> float:
    started = time.perf_counter()
    subprocess.run(argv, check=True, capture_output=True)
    return time.perf_counter() - started


def _judged(name: str, took: float) -> str:
    if name not in LIMITS_S:
        return "the reference"
    return f"limit {LIMITS_S[name]:.1f} s: {verdict(took, LIMITS_S[name])}"


if __name__ == "__main__":
    main()
