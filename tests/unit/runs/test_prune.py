import os
from pathlib import Path

import pytest

from himari.apply.cache import KEPT, publish, trees_root, wheels_root
from himari.runs.prune import prune


def test_what_others_took_the_place_of_is_removed_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIMARI_CACHE", str(tmp_path))
    for root, kind in ((wheels_root(), "himari-runtime runtime.txt cp311"), (trees_root(), "kafka.maven")):
        for number in range(KEPT + 1):
            publish(root / f"{number}", kind, lambda draft: (draft / "a").touch())
            os.utime(root / f"{number}", (number, number))
    report = prune(())
    assert report.removed == ("wheels 0, not used lately", "tree 0, not used lately")
    assert not (wheels_root() / "0").exists()
    assert not (trees_root() / "0").exists()
    assert report.left == ()
