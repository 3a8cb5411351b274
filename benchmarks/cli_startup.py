"""How long the command takes to say something: `himari --help` and `himari plan`, offline, best of five.

The reference is the same interpreter doing nothing, in the same run."""

import subprocess
import sys
import time

RUNS = 5
COMMANDS = {
    "python -c pass": (sys.executable, "-c", "pass"),
    "himari --help": (sys.executable, "-m", "himari.cli.main", "--help"),
    "himari plan lab-edge": (sys.executable, "-m", "himari.cli.main", "plan", "lab-edge"),
}
GOALS_S = {"himari --help": 0.2, "himari plan lab-edge": 1.0}


def best_of(argv: tuple[str, ...]) -> float:
    """Seconds of the fastest of some runs: what the code costs, less what the machine did besides."""
    return min(_timed(argv) for _ in range(RUNS))


def _timed(argv: tuple[str, ...]) -> float:
    started = time.perf_counter()
    subprocess.run(argv, check=True, capture_output=True)
    return time.perf_counter() - started


def main() -> None:
    """Print the figures."""
    seconds = {name: best_of(argv) for name, argv in COMMANDS.items()}
    reference = seconds["python -c pass"]
    for name, took in seconds.items():
        goal = f", goal {GOALS_S[name]:.1f} s" if name in GOALS_S else ", the reference"
        print(f"{name:<24} {took:6.3f} s  {took / reference:4.1f} times the reference{goal}")


if __name__ == "__main__":
    main()
