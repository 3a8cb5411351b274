"""The exporters: they tell what they shall, at the cost that they may have, and go before what carries data."""

import time

from himari.catalog import ports
from himari.catalog.cpus import layout
from himari.catalog.exporters import NODE, POSTGRES, REDIS
from himari.catalog.hostpaths import CERTIFICATE_METRICS
from himari.proof.certificates import DAY_S
from himari.proof.checks import Case, Observed, check, found
from himari.proof.probe import Probe
from himari.stack.network import tunnel_address

CERTIFICATE_END = "himari_certificate_not_after_seconds"
RENEWED_BEFORE_DAYS = 14
# What must be told, and of it what has one good value.
TOLD = {
    NODE: (
        ports.NODE_METRICS,
        (
            "node_load1",
            "node_memory_MemAvailable_bytes",
            "node_filesystem_avail_bytes",
            "node_network_receive_bytes_total",
        ),
        {},
    ),
    REDIS: (
        ports.REDIS_METRICS,
        ("redis_memory_used_bytes", "redis_commands_processed_total", "redis_slowlog_length"),
        {"redis_up": 1.0},
    ),
    POSTGRES: (
        ports.POSTGRESQL_METRICS,
        ("pg_stat_activity_count", "pg_stat_database_xact_commit", "pg_database_size_bytes", "pg_locks_count"),
        {"pg_up": 1.0, "pg_exporter_last_scrape_error": 0.0},
    ),
}


@check(
    "exporters.{item}.tells",
    "{item} tells what it watches",
    each="running",
    replaces="day 4, step 4.2; 4.3: Node exporter running, Redis exporter running",
)
def test_tells(case: Case, probe: Probe, observed: Observed) -> None:
    port, wanted, exact = TOLD[case.name.removesuffix(".service")]
    values = probe.metrics(f"{tunnel_address(case.view.stack, case.host)}:{port}").values
    names = {name.partition("{")[0] for name in values}
    observed(f"{len(values)} values")
    missing = [name for name in (*wanted, *exact) if name not in names]
    assert not missing, f"it says nothing of {', '.join(missing)}"
    wrong = [f"{name} is {values[name]:g}" for name, value in exact.items() if values[name] != value]
    assert not wrong, f"{'; '.join(wrong)}: `journalctl -u {case.name}` tells why"


@check(
    "exporters.{item}.cpus",
    "{item} takes no time from the data's CPUs",
    each="running",
    replaces="day 4, step 4.2: CPUAffinity=0",
)
def test_cpus(case: Case, probe: Probe, observed: Observed) -> None:
    threads = found(probe.process(case.name), f"{case.name} has no process").threads
    cpus = layout(case.view.host.cpus or 1)
    assert observed({thread.cpus for thread in threads}) == {cpus.housekeeping}


@check(
    "exporters.{item}.comes-back",
    "{item} is started again when it ends",
    each="running",
    replaces="day 4, step 4.2: Restart=always",
)
def test_restart(case: Case, probe: Probe, observed: Observed) -> None:
    assert observed(probe.unit(case.name).get("Restart")) == "always"


@check("exporters.{item}.memory_max", "systemd bounds the memory of {item}", each="running")
def test_memory_limit(case: Case, probe: Probe, observed: Observed) -> None:
    assert observed(probe.unit(case.name).get("MemoryMax", "")).isdigit(), "no limit"


@check("exporters.{item}.goes-first", "a host without memory ends {item} before what carries data", each="running")
def test_goes_first(case: Case, probe: Probe, observed: Observed) -> None:
    process = found(probe.process(case.name), f"{case.name} has no process")
    assert int(observed(process.oom_score_adjust or "0")) > 0


@check("exporters.certificates", "the ends of this host's certificates are told, and none is near")
def test_certificates(case: Case, probe: Probe, observed: Observed) -> None:
    place = f"{tunnel_address(case.view.stack, case.host)}:{ports.NODE_METRICS}"
    values = probe.metrics(place).values
    ends = {name: value for name, value in values.items() if name.startswith(CERTIFICATE_END)}
    left = {name.split('"')[1]: (end - time.time()) / DAY_S for name, end in ends.items()}
    observed({f"{name}, {days:.0f} days left" for name, days in left.items()} or "there is none")
    wanted = {name for file in case.component.files if file.path == CERTIFICATE_METRICS for name in file.values["ends"]}
    assert left.keys() == wanted
    assert all(days > RENEWED_BEFORE_DAYS for days in left.values()), f"`himari up {case.view.stack.name}` renews them"
