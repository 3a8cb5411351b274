"""What each host measured when it was first proven: later measurements are compared with the host's own."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

BASELINE = "baseline.json"  # in the stack's state folder
FACTOR = 2.0  # above this many times its own baseline a measurement fails

Measured = dict[str, dict[str, float]]  # host -> check id -> seconds


class Baseline:
    """The baselines of one stack, and what this run has measured besides."""

    def __init__(self, kept: Mapping[str, Mapping[str, float]] | None = None) -> None:
        self._kept: Measured = {host: dict(values) for host, values in (kept or {}).items()}
        self._new: Measured = {}

    def compare(self, host: str, name: str, seconds: float) -> str:
        """Why `seconds` is too slow for `host`, or ""; a first measurement is noted to become the baseline."""
        usual = self._kept.get(host, {}).get(name)
        if usual is None:
            self._new.setdefault(host, {})[name] = seconds
            return ""
        if seconds <= usual * FACTOR:
            return ""
        return f"{seconds * 1000:.2f} ms, {FACTOR:g} times the {usual * 1000:.2f} ms of this host's first proof or more"

    @property
    def grown(self) -> Measured:
        """What is kept, with this run's first measurements."""
        hosts = {*self._kept, *self._new}
        return {host: {**self._new.get(host, {}), **self._kept.get(host, {})} for host in sorted(hosts)}


def read_baseline(path: Path) -> Baseline:
    """The baselines kept at `path`; none when there is no such file or it cannot be read."""
    try:
        return Baseline(msgspec.json.decode(path.read_bytes(), type=Measured))
    except (FileNotFoundError, msgspec.DecodeError):
        return Baseline()


def write_baseline(path: Path, baseline: Baseline) -> None:
    """Keep what was measured; to be called after a green proof only."""
    if baseline.grown:
        path.write_bytes(msgspec.json.format(msgspec.json.encode(baseline.grown)) + b"\n")
