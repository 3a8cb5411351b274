"""What a machine lacks is said one by one, each with what mends it."""

import os

import msgspec
import pytest

from himari.lab import preflight
from himari.lab.preflight import Machine
from himari.stack.errors import MachineError

GOOD = Machine(
    uid=0,
    capabilities=(1 << 41) - 1,
    missing=(),
    nftables="",
    tun=True,
    loop=True,
    overlay=True,
    cgroups=True,
    free_mb={"/var/lib/himari/labs": 50_000},
)


def test_a_complete_machine_lacks_nothing() -> None:
    assert list(preflight.lacks(GOOD)) == []


@pytest.mark.parametrize(
    ("lacking", "what", "hint"),
    [
        ({"uid": 1000}, "by root", "sudo"),
        ({"capabilities": GOOD.capabilities & ~(1 << 12)}, "CAP_NET_ADMIN", "--cap-add=NET_ADMIN"),
        ({"missing": ("mmdebstrap",)}, "mmdebstrap", "apt-get install mmdebstrap"),
        ({"nftables": "Protocol not supported"}, "Protocol not supported", "nf_tables"),
        ({"tun": False}, "tunnel", "/dev/net/tun"),
        ({"loop": False}, "loop", "modprobe loop"),
        ({"overlay": False}, "overlay", "modprobe overlay"),
        ({"cgroups": False}, "cgroup", "mount"),
        ({"free_mb": {"/small": 10}}, "10 MB", "HIMARI_LABS"),
    ],
)
def test_each_lack_is_named_with_its_remedy(lacking: dict[str, object], what: str, hint: str) -> None:
    with pytest.raises(MachineError) as caught:
        preflight.require(msgspec.structs.replace(GOOD, **lacking))
    error = caught.value
    assert what in error.what
    assert hint in error.hint
    assert error.where
    assert error.expected


def test_a_mere_user_is_told_to_be_root_and_nothing_that_follows_from_it() -> None:
    seen = {"uid": 1000, "capabilities": 0, "nftables": "Operation not permitted", "missing": ("mmdebstrap",)}
    told = [error.what for error in preflight.lacks(msgspec.structs.replace(GOOD, **seen))]
    assert told == ["a lab is made and removed by root", "not installed: mmdebstrap"]


def test_what_a_mere_user_s_path_leaves_out_is_installed_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = preflight.look().missing
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("PATH", "/usr/local/bin:/usr/bin:/bin")
    assert preflight.look().missing == whole
