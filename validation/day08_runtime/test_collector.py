"""The collector: alive, fed, on time, and with the limits that it was given."""

from himari.catalog.collector import UNIT
from himari.catalog.cpus import layout
from himari.catalog.ports import COLLECTOR_METRICS
from himari.proof import readings
from himari.proof.checks import Case, Observed, check, found
from himari.proof.probe import Probe
from himari.proof.readings import Metrics
from himari.proof.subject import Subject
from himari.stack.network import tunnel_address

PROMPT_SECONDS = 0.5  # a bound of the collector's histogram of delays
PROMPT_SHARE = 0.95
CLOCK_SECONDS = 0.05
BACKLOG_RECORDS = 5000


def counted(case: Case, probe: Probe) -> Metrics:
    return probe.metrics(f"{tunnel_address(case.view.stack, case.host)}:{COLLECTOR_METRICS}")


@check("collector.quiet", "the collector logs no errors", severity="warning", replaces="8.1: recent errors")
def test_quiet(probe: Probe, observed: Observed) -> None:
    lines = probe.errors(UNIT)
    observed(f"{len(lines)} in the last hour")
    assert not lines, f"the last of them: {lines[-1]}"


@check("collector.cpus", "the collector runs on its CPUs", replaces="4.2: CPUAffinity")
def test_cpus(case: Case, probe: Probe, observed: Observed) -> None:
    threads = found(probe.process(UNIT), "the collector has no process").threads
    allowed = readings.cpus(layout(case.view.host.cpus or 1).collector)
    observed({thread.cpus for thread in threads})
    assert all(readings.cpus(thread.cpus) <= allowed for thread in threads), f"expected CPUs {sorted(allowed)}"


@check("collector.dies-whole", "stopping the collector stops all of it")
def test_kill_mode(probe: Probe, observed: Observed) -> None:
    assert observed(probe.unit(UNIT).get("KillMode")) == "control-group"


@check("collector.comes-back", "a collector that ends is started again", replaces="4.2: Restart=always")
def test_restart(probe: Probe, observed: Observed) -> None:
    assert observed(probe.unit(UNIT).get("Restart")) == "always"


@check("collector.open-files", "the collector has files to open, and leaves no core behind", replaces="4.2: limits")
def test_open_files(probe: Probe, observed: Observed) -> None:
    limits = readings.limits(found(probe.process(UNIT), "the collector has no process").limits)
    files, core = limits["Max open files"], limits["Max core file size"]
    observed(f"{files} files, core {core}")
    assert files is None or files >= 1024, "fewer than 1024 files"
    assert core == 0, "a core would hold what the collector knows"


@check("collector.memory_max", "systemd bounds the collector's memory", replaces="4.2: MemoryMax")
def test_memory_limit(probe: Probe, observed: Observed) -> None:
    assert observed(probe.unit(UNIT).get("MemoryMax", "")).isdigit(), "no limit"


@check("collector.line", "the line to the venue is open", replaces="4.1: connected to the streams")
def test_line(case: Case, probe: Probe, observed: Observed) -> None:
    lines = {name: value for name, value in counted(case, probe).values.items() if name.startswith("himari_line_up{")}
    observed(
        [f"{name.removeprefix('himari_line_up')} {'open' if value else 'closed'}" for name, value in lines.items()]
    )
    assert lines, "the collector has no line"
    assert all(lines.values()), "a line is closed: the collector's journal says why"


@check("collector.parses", "each frame of the venue could be read", severity="warning", replaces="4.1: errors")
def test_unparsed(case: Case, probe: Probe, observed: Observed) -> None:
    unread = observed(f"{counted(case, probe).values['himari_unparsed_total']:.0f} unread")
    assert unread == "0 unread", "what could not be read is in the journal, in channel unparsed"


@check("collector.pushes", "the buffer has nearly all that the journal has", replaces="4.1: buffer flushed")
def test_backlog(case: Case, probe: Probe, observed: Observed) -> None:
    values = counted(case, probe).values
    waiting = values["himari_push_backlog_records"]
    observed(f"{waiting:.0f} records wait")
    assert not values["himari_buffer_full"], "the buffer is full and refuses writes"
    assert waiting <= BACKLOG_RECORDS, f"at most {BACKLOG_RECORDS} expected: is Redis up, and fast enough?"


@check("collector.feeds", "each stream has an epoch of the collector", replaces="4.1: collectors running")
def test_feeds(probe: Probe, observed: Observed) -> None:
    ends = {name: readings.stream_end(reply) for name, reply in probe.buffer.streams.items()}
    observed([f"{name} {end[1]}-{end[2]}" if end else f"{name} missing" for name, end in ends.items()])
    missing = [name for name, end in ends.items() if end is None or end[1] < 1]
    assert not missing, "nothing was ever pushed to " + ", ".join(missing)


@check("collector.heartbeat", "data flows into the buffer at this moment", replaces="6.2, 7.2: data flow verified")
def test_heartbeat(probe: Probe, observed: Observed) -> None:
    meta = [name for name in probe.buffer.streams if name.endswith(":_:meta")]
    before = [readings.stream_end(probe.buffer.streams[name]) for name in meta]
    after = [readings.stream_end(probe.buffer.later[name]) for name in meta]
    observed([f"{one[2]} to {two[2]}" for one, two in zip(before, after, strict=True) if one and two])
    moved = [bool(one and two and two[1:] > one[1:]) for one, two in zip(before, after, strict=True)]
    assert moved, "the stack has no venue"
    assert all(moved), "no heartbeat arrived within 1.5 s: is the collector running, and the buffer not full?"


@check(
    "collector.clock",
    "the venue's clock and the edge's agree to 50 ms, as far as a round trip can tell",
    severity="warning",
    venue_clock=True,
)
def test_venue_clock(case: Case, probe: Probe, observed: Observed) -> None:
    values = counted(case, probe).values
    offset, doubt = values["himari_clock_offset_seconds"], values["himari_venue_round_trip_seconds"] / 2
    observed(f"{offset * 1000:+.1f} ms, give or take {doubt * 1000:.1f} ms")
    assert doubt > 0, "the venue's clock was never read"
    assert abs(offset) <= CLOCK_SECONDS + doubt, "chrony on the edge shall follow a time server"


@check(
    "collector.prompt",
    "19 of 20 events arrive within half a second of the time that the venue gives them",
    severity="warning",
    replaces="2.3: Binance in less than 5 ms",
    venue_clock=True,
)
def test_delay(case: Case, probe: Probe, observed: Observed) -> None:
    share = counted(case, probe).share_within("himari_event_delay_seconds", PROMPT_SECONDS)
    observed(f"{share:.1%}" if share is not None else "no event yet")
    assert share is not None, "no event with a time has come"
    assert share >= PROMPT_SHARE, "the network, the edge's load or its clock is at fault"


@check(
    "collector.round-trip",
    "a call to the venue takes no longer than twice what it took at first",
    severity="warning",
    replaces="2.3: Binance in less than 5 ms",
    venue_clock=True,
)
def test_round_trip(case: Case, probe: Probe, observed: Observed, subject: Subject) -> None:
    seconds = counted(case, probe).values["himari_venue_round_trip_seconds"]
    observed(f"{seconds * 1000:.1f} ms")
    assert seconds > 0, "the venue was never asked for its time"
    slow = subject.baseline.compare(case.host, "collector.round-trip", seconds)
    assert not slow, slow
