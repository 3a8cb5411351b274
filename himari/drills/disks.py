"""Faults of what keeps data: disks that are full, a segment that is damaged, a brain that was away for too long."""

from random import Random

from himari.catalog.collector import UNIT as COLLECTOR
from himari.catalog.consumer import UNIT as CONSUMER
from himari.catalog.hostpaths import COLLECTOR_SETTINGS, JOURNAL
from himari.drills.altered import alter, whole
from himari.drills.drill import Drill, Gaps, Quiet
from himari.drills.field import Field, await_
from himari.lab import faults
from himari.runs.verdict import NOT_STORING
from himari.stack.errors import HostError

WINDOW = "sed -i 's/^window_records = .*/window_records = {}/' $f"
KEPT = "/root/segment-before-the-drill"
# So much that both lines' copies of some events are hit: what one of them still has is not missing.
SPOILT_BYTES, NOISE_BYTES = 1 << 16, 64
SPOIL = (
    "for i in $(seq {times}); do printf '{noise}'; done "
    "| dd of={segment} bs=64K iflag=fullblock oflag=seek_bytes seek={offset} conv=notrunc status=none"
)
OVERTAKEN = 3  # segments sealed since the brain went: the streams hold less than the last one's time
SEALED_SECONDS = 120.0
DAMAGED, GAPS = "himari_catch_up_damaged_segments_total", "himari_gaps_total"


class BrainDiskFull(Quiet):
    """The brain's disk takes nothing more; the consumer holds what it has read and waits."""

    def inject(self, field: Field) -> None:
        faults.fill_disk(field.lab, field.brain)

    def seen(self, field: Field) -> str:
        said = field.shown(field.brain, CONSUMER, "StatusText")
        return said if said.startswith(NOT_STORING) else ""

    def lift(self, field: Field) -> None:
        faults.heal(field.lab, (field.brain,))

    def restored(self, field: Field) -> bool:
        said = field.shown(field.brain, CONSUMER, "StatusText")
        return bool(said) and not said.startswith(NOT_STORING)


class JournalDiskFull(Quiet):
    """The edge's disk takes nothing more, not even once the journal has given up its oldest segments."""

    def __init__(self) -> None:
        self._last = ""

    def inject(self, field: Field) -> None:
        faults.fill_disk(field.lab, field.edge)

    def seen(self, field: Field) -> str:
        faults.fill_disk(field.lab, field.edge)  # what the journal gave up is taken, too
        said = f"journalctl -u {COLLECTOR} --since=-1min -g 'no space left' -n 1 -o cat --no-pager"
        return field.asked(field.edge, said)[-200:]

    def lift(self, field: Field) -> None:
        faults.heal(field.lab, (field.edge,))
        self._last = field.process(field.edge, COLLECTOR)

    def over(self, field: Field) -> bool:
        """A collector that was begun while the disk was full may still give up: the one after it can work."""
        return field.process(field.edge, COLLECTOR) not in {"", self._last} or self.restored(field)

    def restored(self, field: Field) -> bool:
        return field.collector().carries

    def heal(self, field: Field) -> None:
        self.lift(field)
        field.inside(field.edge, f"systemctl reset-failed {COLLECTOR} || true; systemctl start {COLLECTOR}")


class BrainAway(Quiet):
    """The consumer is away for longer than the buffer's streams hold, which is made short first."""

    def __init__(self, window_records: int) -> None:
        self._window = window_records
        self._before = 0.0

    def prepare(self, field: Field) -> None:
        alter(field, field.edge, COLLECTOR_SETTINGS, WINDOW.format(self._window), COLLECTOR)

    def inject(self, field: Field) -> None:
        field.inside(field.brain, f"systemctl stop {CONSUMER}")
        self._before = self._pushed(field)

    def seen(self, field: Field) -> str:
        pushed = self._pushed(field) - self._before
        return f"{pushed:.0f} records were pushed, the streams hold {self._window}" if pushed > 3 * self._window else ""

    def lift(self, field: Field) -> None:
        field.inside(field.brain, f"systemctl start {CONSUMER}")

    def restored(self, field: Field) -> bool:
        return field.caught_up() > 0

    def heal(self, field: Field) -> None:
        self.lift(field)
        whole(field, field.edge, COLLECTOR_SETTINGS, COLLECTOR)

    def _pushed(self, field: Field) -> float:
        return field.told_by_collector().get("himari_pushed_records_total", 0.0)


class SegmentDamaged(BrainAway):
    """A part of a sealed segment changes on the edge's disk, which the brain then needs: its streams were overtaken."""

    def __init__(self, chance: Random, window_records: int) -> None:
        super().__init__(window_records)
        self._chance = chance

    def inject(self, field: Field) -> None:
        """Returns once the brain is back and has to fetch what is damaged. Raises HostError when nothing is sealed."""
        super().inject(field)
        before = set(self._sealed(field))
        if not await_(lambda: len(set(self._sealed(field)) - before) >= OVERTAKEN, SEALED_SECONDS):
            sealed = f"{OVERTAKEN} segments sealed within {SEALED_SECONDS} s"
            raise HostError("the journal seals nothing", field.edge, sealed)
        # The first may hold what the brain has; the last may still be in the stream.
        self._spoil(field, sorted(set(self._sealed(field)) - before)[1])
        self.lift(field)

    def seen(self, field: Field) -> str:
        told = field.told_by_consumer()
        damaged, gaps = told.get(DAMAGED, 0.0), told.get(GAPS, 0.0)
        return f"the consumer met {damaged:.0f} damaged segments, and wrote {gaps:.0f} gaps" if damaged and gaps else ""

    def heal(self, field: Field) -> None:
        super().heal(field)
        back = f"[ ! -e $(cat {KEPT}.name) ] || cp -p {KEPT} $(cat {KEPT}.name)"
        field.inside(field.edge, f"[ -e {KEPT}.name ] || exit 0; {back}; rm -f {KEPT} {KEPT}.name")

    def _sealed(self, field: Field) -> list[str]:
        return field.inside(field.edge, f"ls {JOURNAL} | grep seg$ || true").split()

    def _spoil(self, field: Field, name: str) -> None:
        segment = f"{JOURNAL}/{name}"
        size = int(field.inside(field.edge, f"stat -c %s {segment}"))
        noise = "".join(f"\\{self._chance.randrange(256):03o}" for _ in range(NOISE_BYTES))
        offset = self._chance.randrange(size // 4, size // 2)
        spoil = SPOIL.format(times=SPOILT_BYTES // NOISE_BYTES, noise=noise, offset=offset, segment=segment)
        field.inside(field.edge, f"cp -p {segment} {KEPT}; echo {segment} >{KEPT}.name; {spoil}")


DRILLS = (
    Drill(
        name="brain-disk-full",
        stored=True,
        says="The brain's disk takes nothing more for 20 seconds",
        deadline="all that waited is stored within 60 seconds, and nothing is missed",
        within=60,
        sees="the consumer says that it cannot store",
        gaps=Gaps.NONE,
        takes=90,
        lasts=20,
        fault=lambda _: BrainDiskFull(),
    ),
    Drill(
        name="brain-away",
        says="The consumer is away for 30 seconds, longer than the buffer's streams hold",
        deadline="all that it missed is fetched from sealed segments within 90 seconds, and nothing is lost",
        within=90,
        sees="far more is pushed than the streams hold",
        gaps=Gaps.NONE,
        takes=150,
        lasts=30,
        fault=lambda _: BrainAway(window_records=4000),
    ),
    Drill(
        name="journal-disk-full",
        says="The edge's disk takes nothing more for 20 seconds",
        deadline="new data is on the brain within 60 seconds of the room's return",
        within=60,
        sees="the collector says that there is no space",
        gaps=Gaps.TIGHT,
        takes=100,
        lasts=20,
        seen_within=60,
        fault=lambda _: JournalDiskFull(),
    ),
    Drill(
        name="segment-damaged",
        says="64 KiB of a sealed segment change on the edge's disk, and a brain that was away for long needs them",
        deadline="all that is whole is on the brain within 120 seconds of its return, and gaps say what is not",
        within=120,
        sees="the consumer meets the damaged segment, and writes gaps",
        gaps=Gaps.TIGHT,
        takes=240,
        seen_within=90,
        fault=lambda chance: SegmentDamaged(chance, window_records=4000),
    ),
)
