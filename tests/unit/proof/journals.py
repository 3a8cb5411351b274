"""The journals of hosts, as journalctl shows them."""

import json
from collections.abc import Sequence
from itertools import pairwise

from himari.stack.errors import HostError

START = 1_700_000_000_000_000_000


def said(unit: str, text: str, *, at: float = 0.0, priority: int = 6) -> dict[str, str]:
    """A line of `unit`, `at` seconds after START."""
    at_us = str(START // 1000 + round(at * 1e6))
    return {"__REALTIME_TIMESTAMP": at_us, "PRIORITY": str(priority), "_SYSTEMD_UNIT": unit, "MESSAGE": text}


class Journal:
    """Runs journalctl: the newest `-n` lines of the units named by `-u`, from `--since` to `--until`."""

    def __init__(self, *lines: dict[str, str], silent: Sequence[str] = ()) -> None:
        self.lines, self.silent = lines, silent
        self.asked: list[tuple[str, ...]] = []

    def __call__(self, host: str, argv: Sequence[str]) -> bytes:
        self.asked.append(tuple(argv))
        if host in self.silent:
            raise HostError("not reached", host)
        units = {word for option, word in pairwise(argv) if option == "-u"}
        bounds = {word.split("=@")[0]: float(word.split("=@")[1]) * 1e6 for word in argv if "=@" in word}
        shown = [
            line
            for line in self.lines
            if line["_SYSTEMD_UNIT"] in units
            and bounds.get("--since", 0) <= int(line["__REALTIME_TIMESTAMP"]) <= bounds.get("--until", 1e20)
        ]
        newest = sorted(shown, key=lambda line: int(line["__REALTIME_TIMESTAMP"]))
        return "\n".join(json.dumps(line) for line in newest[-int(argv[argv.index("-n") + 1]) :]).encode()
