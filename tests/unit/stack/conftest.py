"""A stack file that loads, as a text to be changed."""

import pytest

GOOD = """
[stack]
name = "two"

[access]
ssh_from = ["198.51.100.7/32"]

[venues.binance]
symbols = ["BTC/USDT"]
frames_per_s = 100
bytes_per_s = 25000

[retention]
parquet_days = 90

[hosts.edge]
provider = "static"
address = "203.0.113.10"
roles = ["edge"]
cpus = 2
memory_mb = 2048
disk_gb = 40

[hosts.brain]
provider = "static"
address = "local"
existing = true
roles = ["brain"]
cpus = 4
memory_mb = 8192
disk_gb = 500
"""


@pytest.fixture
def good() -> str:
    return GOOD
