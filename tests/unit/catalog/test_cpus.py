import pytest

from himari.catalog.cpus import layout


@pytest.mark.parametrize(
    ("cpus", "housekeeping", "redis", "collector"),
    [(1, "0", "0", "0"), (2, "0", "1", "0-1"), (3, "0", "1", "0-1"), (4, "0-1", "2", "3"), (8, "0-1", "2", "3-6")],
)
def test_redis_shares_its_cpu_with_none_of_its_children(
    cpus: int, housekeeping: str, redis: str, collector: str
) -> None:
    lists = layout(cpus)
    assert (lists.housekeeping, lists.redis, lists.collector) == (housekeeping, redis, collector)
