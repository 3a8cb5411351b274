"""The buffer: what Redis says of itself to the operator's user, and what it refuses to others."""

from typing import cast

from himari.catalog.cpus import layout
from himari.proof import readings
from himari.proof.checks import Case, Observed, check, found
from himari.proof.crossings import Crossing
from himari.proof.probe import Probe
from himari.proof.subject import Subject

UNIT = "redis-server.service"
MOST_MICROSECONDS = 200


def setting(probe: Probe, name: str) -> str:
    return " ".join(probe.buffer.config[name])


def user(probe: Probe, name: str) -> readings.AclUser:
    return found(readings.acl_user(probe.buffer.users[name]), f"there is no user {name}")


@check("redis.answers", "Redis 7 answers", replaces="day 2, step 2.1: Redis 7; 4.3: Redis responding")
def test_answers(probe: Probe, observed: Observed) -> None:
    assert observed(readings.info(probe.buffer.info)["redis_version"]).split(".")[0] >= "7"


@check(
    "redis.noeviction",
    "a full buffer refuses writes instead of dropping streams",
    replaces="day 2, step 2.2: maxmemory-policy",
)
def test_noeviction(probe: Probe, observed: Observed) -> None:
    assert observed(setting(probe, "maxmemory-policy")) == "noeviction"


@check("redis.maxmemory", "a copy while saving still fits into memory", replaces="day 2, step 2.2: maxmemory 3gb")
def test_maxmemory(case: Case, probe: Probe, observed: Observed) -> None:
    limit = int(setting(probe, "maxmemory"))
    memory = (case.view.host.memory_mb or 0) * 1024 * 1024
    observed(f"{limit / 2**20:.0f} MiB")
    assert limit > 0, "Redis may take all memory"
    assert not memory or limit <= memory / 2, f"more than half of the host's {memory / 2**20:.0f} MiB"


@check("redis.headroom", "the streams use at most 0.8 of what Redis may hold", severity="warning")
def test_headroom(probe: Probe, observed: Observed) -> None:
    info = readings.info(probe.buffer.info)
    share = int(info["used_memory"]) / max(1, int(info["maxmemory"]))
    observed(f"{share:.1%}")
    assert share <= 0.8, f"{share:.1%} used"


@check("redis.aof", "what was acknowledged is on disk within a second", replaces="day 2, step 2.2: AOF")
def test_aof(probe: Probe, observed: Observed) -> None:
    assert observed([setting(probe, "appendonly"), setting(probe, "appendfsync")]) == ["yes", "everysec"]


@check("redis.aof-writes", "the last write of the append-only file succeeded")
def test_aof_writes(probe: Probe, observed: Observed) -> None:
    assert observed(readings.info(probe.buffer.info)["aof_last_write_status"]) == "ok"


@check("redis.thp", "Redis uses no huge pages for itself", replaces="day 1, step 1.4: THP")
def test_thp(probe: Probe, observed: Observed) -> None:
    assert observed(setting(probe, "disable-thp")) == "yes"


@check(
    "redis.bind",
    "Redis is bound to loopback and the tunnel only",
    replaces="day 2, step 2.2: bind; 4.3: Redis localhost only",
)
def test_bind(case: Case, probe: Probe, observed: Observed, subject: Subject) -> None:
    addresses = {word.lstrip("-") for word in observed(setting(probe, "bind")).split()}
    assert addresses <= subject.places(case.host)


@check("redis.default-off", "nobody is somebody without a login", replaces="day 2: NO AUTHENTICATION")
def test_default_user_is_off(probe: Probe, observed: Observed) -> None:
    default = user(probe, "default")
    observed(f"{', '.join(default.flags)}; {' '.join(default.commands)}")
    assert "off" in default.flags, "switch it off: `himari up` restores the ACL file"


@check("redis.reloads", "what the collector added is read back when Redis starts")
def test_append_only_file_may_be_replayed(probe: Probe, observed: Observed) -> None:
    # Redis replays its append-only file as the default user, and drops transactions that this user may not run.
    commands = observed(user(probe, "default").commands)
    assert {"+xadd", "+xtrim"} <= set(commands), "each restart would lose the buffer: `himari up` restores the ACL file"
    assert user(probe, "default").keys == "~md:*"


@check("redis.pusher", "the collector's user can add, trim and ask for the last id, nothing else")
def test_pusher(probe: Probe, observed: Observed) -> None:
    allowed = {word for word in observed(user(probe, "pusher").commands) if word.startswith("+")}
    assert allowed == {"+xadd", "+xtrim", "+xinfo|stream", "+ping", "+multi", "+exec"}
    assert user(probe, "pusher").keys == "~md:*"


@check(
    "redis.reader", "the brain's user reads streams and writes nothing", replaces="2.2: Brain cannot send data to VPS"
)
def test_reader(probe: Probe, observed: Observed) -> None:
    allowed = {word for word in observed(user(probe, "reader").commands) if word.startswith("+")}
    assert allowed == {"+xread", "+xrange", "+xlen", "+xinfo|stream", "+ping"}
    assert user(probe, "reader").keys == "%R~md:*"


@check("redis.exporter", "the exporter's user learns figures and no data", replaces="day 4, step 4.2: no auth needed")
def test_exporter(probe: Probe, observed: Observed) -> None:
    allowed = {word for word in observed(user(probe, "exporter").commands) if word.startswith("+")}
    assert allowed == {"+info", "+latency|latest", "+slowlog|len", "+slowlog|get"}
    assert user(probe, "exporter").keys == ""


@check("redis.users", "each user has one password")
def test_users_have_passwords(probe: Probe, observed: Observed) -> None:
    named = {name: user(probe, name).passwords for name in ("pusher", "reader", "operator", "exporter")}
    assert observed(list(named.values())) == [1, 1, 1, 1]


@check(
    "redis.cpus",
    "Redis' main thread has its CPU, and saving and closing files keep off it",
    replaces="day 2, step 2.3: Redis pinned to CPU 1; 4.3: Redis on CPU 1",
)
def test_cpus(case: Case, probe: Probe, observed: Observed) -> None:
    threads = found(probe.process(UNIT), "Redis has no process").threads
    cpus = layout(case.view.host.cpus or 1)
    observed([f"{thread.name} {thread.cpus}" for thread in threads])
    main = {thread.cpus for thread in threads if thread.name == "redis-server"}
    assert main == {cpus.redis}
    background = {thread.cpus for thread in threads if thread.name.startswith("bio_")}
    assert background <= {cpus.housekeeping}


@check("redis.open-files", "Redis may open files for a thousand clients", replaces="day 2, step 2.3: LimitNOFILE")
def test_open_files(probe: Probe, observed: Observed) -> None:
    limits = readings.limits(found(probe.process(UNIT), "Redis has no process").limits)
    files, core = limits["Max open files"], limits["Max core file size"]
    # Redis lowers maxclients by itself when it may not open enough files.
    clients = int(setting(probe, "maxclients"))
    observed(f"{files} files, {clients} clients, core {core}")
    assert clients >= 1000, "fewer than 1000 clients"
    assert files is None or files >= clients, "fewer files than clients"
    assert core == 0, "a core would hold the passwords"


@check(
    "redis.speed",
    "adding to a stream takes Redis at most 200 microseconds",
    severity="warning",
    replaces="day 2, step 2.4: redis-benchmark; 7.1: Redis performance",
)
def test_speed(probe: Probe, observed: Observed) -> None:
    added = readings.info(probe.buffer.info).get("cmdstat_xadd", "")
    spent = dict(part.split("=") for part in added.split(",") if part)
    observed(f"{spent['usec_per_call']} us" if spent else "nothing was added yet")
    assert spent, "nothing was added yet"
    assert float(spent["usec_per_call"]) <= MOST_MICROSECONDS, f"at most {MOST_MICROSECONDS} expected"


@check(
    "redis.memory_max",
    "systemd stops Redis before the host runs out of memory",
    replaces="day 2, step 2.3: MemoryMax",
)
def test_memory_limit(probe: Probe, observed: Observed) -> None:
    limit = observed(probe.unit(UNIT).get("MemoryMax", ""))
    assert limit.isdigit(), "no limit"
    assert int(limit) > int(setting(probe, "maxmemory"))


@check(
    "redis.streams",
    "each stream that the feed can fill is there and holds entries",
    replaces="4.1: stored in Redis streams",
)
def test_streams(probe: Probe, observed: Observed) -> None:
    ends = {name: readings.stream_end(reply) for name, reply in probe.buffer.streams.items()}
    observed([f"{name} {end[0] if end else 'missing'}" for name, end in ends.items()])
    empty = [name for name, end in ends.items() if not end or not end[0]]
    assert not empty, "empty: " + ", ".join(empty)


@check("redis.{item}", "{says}", each="probes", replaces="day 2, step 2.4: write and read; 2.2: Brain cannot send")
def test_refusals(case: Case, observed: Observed, subject: Subject) -> None:
    crossing = cast(Crossing, case.item)
    outcome = subject.outcome(crossing)
    observed(str(outcome))
    assert outcome.outcome in crossing.expected, f"{outcome}, expected {' or '.join(crossing.expected)}"
