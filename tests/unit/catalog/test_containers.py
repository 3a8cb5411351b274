"""A container's excuses leave alone what a container does show; that each is needed is `test_plugin`'s matter."""

import pytest

from himari.catalog.containers import not_covered


@pytest.mark.parametrize(
    "check_id",
    [
        "kernel.sysctl.net.ipv4.tcp_retries2",
        "kernel.sysctl.net.core.somaxconn",
        "chrony.packages",
        "chrony.files",
        "redis.open-files",
        "redis.noeviction",
        "nftables.drop",
        "sshd.no-root",
    ],
)
def test_what_a_container_shows_has_to_pass(check_id: str) -> None:
    assert not_covered(check_id) is None


def test_a_glob_covers_what_it_matches() -> None:
    assert "machine's own" in (not_covered("kernel.sysctl.vm.swappiness") or "")
