"""The way between edge and brain: when it is cut, and when it carries again."""

import time
from pathlib import Path

import pytest

from himari.drills.field import FRAME
from himari.drills.network import Parted
from himari.stack.errors import HostError
from himari.stack.network import tunnel_address
from himari.stack.paths import StateDir
from tests.unit.drills.samples import Remote


class Apart(Remote):
    """Hosts between which nothing passes: a ping ends with 1, as it does without an answer."""

    def inside(self, host: str, script: str) -> str:
        answer = super().inside(host, script)
        if "ping" in script:
            raise HostError("`ping` ended with 1: ", host)
        return answer


def test_hosts_that_were_parted_are_whole_once_a_packet_has_passed(tmp_path: Path) -> None:
    passed = "1 packets transmitted, 1 received, 0% packet loss, time 0ms\n"
    together, apart = Remote(StateDir(tmp_path), {"ping": passed}), Apart(StateDir(tmp_path), {})
    assert Parted().restored(together)
    assert not Parted().restored(apart)
    assert together.scripts[0].endswith(tunnel_address(together.stack, together.edge))


@pytest.mark.parametrize(("age", "seen"), [(1, False), (7, True)])
def test_parted_hosts_are_seen_by_the_age_of_what_came_last(tmp_path: Path, age: int, seen: bool) -> None:
    field = Remote(StateDir(tmp_path), {"/metrics": f"{FRAME} {time.time_ns() - age * 10**9}\n"})
    assert bool(Parted().seen(field)) is seen
