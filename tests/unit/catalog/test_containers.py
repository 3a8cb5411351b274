"""A container's excuse names a check that there is, and leaves alone what a container does show."""

import re

import pytest

from himari.catalog.containers import NOT_COVERED_IN_CONTAINERS, not_covered
from himari.stack.paths import VALIDATION


def excuses() -> list[str]:
    """Those for one check that a test names; the kernel's settings are checks of a list."""
    return [glob for glob in NOT_COVERED_IN_CONTAINERS if "*" not in glob and not glob.startswith("kernel.sysctl.")]


@pytest.mark.parametrize("check_id", excuses())
def test_each_excuse_is_for_a_check_that_there_is(check_id: str) -> None:
    text = "\n".join(path.read_text() for path in VALIDATION.rglob("test_*.py"))
    assert re.search(rf'"{re.escape(check_id)}"', text)


@pytest.mark.parametrize(
    "check_id", ["kernel.sysctl.net.ipv4.tcp_retries2", "redis.noeviction", "nftables.drop", "sshd.no-root"]
)
def test_what_a_container_shows_has_to_pass(check_id: str) -> None:
    assert not_covered(check_id) is None


def test_a_glob_covers_what_it_matches() -> None:
    assert "clock" in (not_covered("chrony.offset") or "")
