"""What a process holds in memory over time, and whether that is flat."""

from collections.abc import Sequence
from os import sysconf
from pathlib import Path
from statistics import median

GROWTH_MOST = 1.1
PAGE_BYTES = sysconf("SC_PAGE_SIZE")
FIFTHS = 5


def resident(pid: int) -> int:
    """Bytes (RSS)."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES


def growth(samples: Sequence[float]) -> float:
    """The last fifth's median as a multiple of the second fifth's; the first belongs to what still comes to rest.

    Memory is flat where that is at most GROWTH_MOST. Raises ValueError for fewer than five samples."""
    if len(samples) < FIFTHS:
        raise ValueError(f"{len(samples)} samples of memory tell nothing of its course: at least {FIFTHS} are needed")
    edges = [len(samples) * part // FIFTHS for part in range(FIFTHS + 1)]
    second, last = samples[edges[1] : edges[2]], samples[edges[-2] : edges[-1]]
    return median(last) / median(second)
