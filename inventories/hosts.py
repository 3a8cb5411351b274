"""pyinfra's view of a stack: `HIMARI_STACK=lab-edge pyinfra inventories/hosts.py deploy/day02_redis.py`."""

from himari.apply.inventory import native_hosts

hosts = native_hosts()
