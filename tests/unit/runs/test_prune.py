import os
from pathlib import Path

import pytest

from himari.apply.wheel_cache import KEPT, publish, wheels_root
from himari.runs.prune import prune


def test_wheels_that_others_took_the_place_of_are_removed_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HIMARI_CACHE", str(tmp_path))
    for number in range(KEPT + 1):
        folder = wheels_root() / f"{number}"
        publish(folder, "himari-runtime runtime.txt cp311", lambda draft: (draft / "a.whl").touch())
        os.utime(folder, (number, number))
    report = prune(())
    assert report.removed == ("wheels 0, not used lately",)
    assert not (wheels_root() / "0").exists()
    assert report.left == ()
