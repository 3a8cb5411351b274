"""`HIMARI_STACK=lab-edge pytest validation/day02_redis`: the plugin says who is checked and reads each host once."""

pytest_plugins = ["himari.proof.plugin"]
