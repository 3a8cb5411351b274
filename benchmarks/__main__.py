"""`python -m benchmarks`: all figures, each with the machine that made it. `python -m benchmarks NAME...`: some."""

import importlib
import sys
import time
from pathlib import Path

from benchmarks._machine import load, machine


def names() -> list[str]:
    """The benchmarks of this folder."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_"))


def main(chosen: list[str]) -> int:
    """Run the chosen benchmarks, or all; the exit code says whether each of them ended well."""
    unknown = sorted(set(chosen) - set(names()))
    if unknown:
        print(f"benchmarks: no {', '.join(unknown)}; there are {', '.join(names())}", file=sys.stderr)
        return 2
    print(machine())
    failed = [name for name in chosen or names() if not _ran(name)]
    if failed:
        print(f"benchmarks: failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _ran(name: str) -> bool:
    started = time.perf_counter()
    print(f"\n{name}: {load()}")
    try:
        importlib.import_module(f"benchmarks.{name}").main()
    except Exception as error:
        print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr)
        return False
    print(f"{name}: took {time.perf_counter() - started:.1f} s")
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
