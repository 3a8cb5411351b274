from himari.catalog.component import View
from himari.catalog.host import components, debian_packages, memory_floors, secrets
from himari.stack.load import load_stack


def test_an_edge_gets_its_components_day_by_day() -> None:
    got = components(View(stack=load_stack("lab-edge"), host_name="edge"))
    assert [f"{day[:5]} {part.name}" for day, part in got] == [
        "day01 accounts",
        "day01 sshd",
        "day01 chrony",
        "day01 kernel",
        "day01 upgrades",
        "day02 redis_buffer",
        "day03 wireguard",
        "day03 nftables",
        "day04 irq",
        "day04 exporters",
        "day08 runtime",
        "day08 collector",
        "day08 segments",
        "day10 self_check",
    ]


def test_a_labs_image_needs_the_packages_of_all_hosts() -> None:
    packages = debian_packages(load_stack("lab-edge"))
    assert {"redis-server", "wireguard-tools", "nftables", "chrony", "python3-venv"} <= set(packages)
    assert list(packages) == sorted(set(packages))


def test_secrets_are_those_that_services_hold_or_files_hash() -> None:
    redis = ("redis-exporter", "redis-operator", "redis-pusher", "redis-reader")
    assert secrets(load_stack("lab-edge")) == ("exchange-key", *redis)
    assert secrets(load_stack("vps-brain")) == redis


def test_redis_half_and_the_collector_make_the_edges_floor() -> None:
    assert memory_floors(load_stack("vps-brain"))["edge"] > 2048
