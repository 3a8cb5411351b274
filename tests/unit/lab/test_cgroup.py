"""Which hierarchies a machine has; how groups are found by name."""

from pathlib import Path

from himari.lab.cgroup import Hierarchies

HYBRID = """\
30 24 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw
31 30 0:27 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
32 30 0:28 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
40 24 0:28 / /elsewhere rw,relatime - cgroup2 cgroup2 rw
"""


def test_each_hierarchy_counts_once() -> None:
    assert Hierarchies.of(HYBRID).mounts == (Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup/unified"))


def test_our_groups_and_systemds_are_found_and_a_neighbours_are_not(tmp_path: Path) -> None:
    for name in ("hm-0a1b2c/edge", "hm-ffffff/edge", "system.slice/hm-0a1b2c-edge.service"):
        (tmp_path / name).mkdir(parents=True)
    found = Hierarchies((tmp_path,)).folders("hm-0a1b2c")
    assert found == (tmp_path / "hm-0a1b2c", tmp_path / "system.slice/hm-0a1b2c-edge.service")
