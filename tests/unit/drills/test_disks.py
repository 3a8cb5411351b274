"""A damaged segment: what is spoilt of it, and that a brain had to need it."""

import subprocess
from pathlib import Path
from random import Random

import pytest

from himari.drills.disks import DAMAGED, GAPS, NOISE_BYTES, SPOIL, SPOILT_BYTES, SegmentDamaged
from himari.stack.paths import StateDir
from tests.unit.drills.samples import Remote


def test_a_part_is_spoilt_and_the_rest_is_as_it_was(tmp_path: Path) -> None:
    segment = tmp_path / "one.seg"
    whole = b"\0" * (3 * SPOILT_BYTES)
    segment.write_bytes(whole)
    noise = "\\377" * NOISE_BYTES
    script = SPOIL.format(times=SPOILT_BYTES // NOISE_BYTES, noise=noise, offset=1000, segment=segment)
    subprocess.run(("sh", "-ec", script), check=True)
    assert segment.read_bytes() == whole[:1000] + b"\xff" * SPOILT_BYTES + whole[1000 + SPOILT_BYTES :]


@pytest.mark.parametrize(
    ("damaged", "gaps", "seen"),
    [(0, 0, ""), (1, 0, ""), (0, 4, ""), (1, 12, "the consumer met 1 damaged segments, and wrote 12 gaps")],
)
def test_a_segment_that_no_brain_needed_shows_nothing(tmp_path: Path, damaged: int, gaps: int, seen: str) -> None:
    field = Remote(StateDir(tmp_path), {"/metrics": f"{DAMAGED} {damaged}\n{GAPS} {gaps}\n"})
    assert SegmentDamaged(Random(1), window_records=4000).seen(field) == seen


def test_the_segment_that_is_spoilt_is_one_that_the_brain_has_to_fetch(tmp_path: Path) -> None:
    field = Sealing(tmp_path)
    SegmentDamaged(Random(1), window_records=4000).inject(field)
    spoilt = next(script for script in field.scripts if "dd of=" in script)
    assert "00000001-000000000003.seg" in spoilt  # the second of those that were sealed while the brain was away
    assert field.scripts[-1].startswith("systemctl start")


class Sealing(Remote):
    """An edge that seals a segment each time it is asked for them."""

    def __init__(self, path: Path) -> None:
        super().__init__(StateDir(path), {"stat": "4000000"})
        self._sealed = 0

    def inside(self, host: str, script: str) -> str:
        self._sealed += script.startswith("ls ")
        listed = "\n".join(f"00000001-{number:012d}.seg" for number in range(1, self._sealed + 1))
        return super().inside(host, script) or (listed if script.startswith("ls ") else "")
