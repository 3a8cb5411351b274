"""What was spent of the venue's limits is known to the process that comes after."""

import asyncio
import logging
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from himari_runtime.feeds import budget as budget_module
from himari_runtime.feeds.budget import ConnectionBudget, WeightBudget
from himari_runtime.feeds.spent import CLOSED_SECONDS_MOST, FILE, Saved, Spent
from himari_runtime.venues.dialect import Priority

MOST, WINDOW = 3, 300.0
SECOND_NS = 1_000_000_000


class Machine:
    """Two clocks that the test moves: one that never steps, and the wall's."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = 600.0
        self.wall_ns = 1_800_000_000 * SECOND_NS

    def advance(self, seconds: float) -> None:
        self.now += seconds
        self.wall_ns += int(seconds * SECOND_NS)

    def boot(self) -> None:
        """The clock that never steps begins anew."""
        self.now = 1.0

    def begin(self) -> Spent:
        """A process starts."""
        return Spent(self.path, clock=lambda: self.now, wall_ns=lambda: self.wall_ns)

    def budget(self) -> ConnectionBudget:
        return ConnectionBudget(MOST, WINDOW, self.begin())


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / FILE)


@pytest.fixture(autouse=True)
def _at_every_turn_of_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget_module, "TURN_SECONDS", 0)


async def begins(budget: ConnectionBudget) -> bool:
    """Whether a connection may begin at this moment; where not, it is given up."""
    call = asyncio.create_task(budget.take())
    for _ in range(10):
        await asyncio.sleep(0)
    call.cancel()
    await asyncio.wait([call])
    return not call.cancelled()


@pytest.mark.asyncio
async def test_a_start_knows_the_connections_of_the_process_before(machine: Machine) -> None:
    first = machine.budget()
    assert [await begins(first) for _ in range(MOST)] == [True] * MOST
    machine.advance(WINDOW - 1)
    machine.boot()
    second = machine.budget()
    assert not await begins(second)
    machine.advance(1)
    assert [await begins(second) for _ in range(MOST + 1)] == [True] * MOST + [False]


@pytest.mark.asyncio
async def test_a_start_that_waits_takes_no_place_however_often_it_is_killed(machine: Machine) -> None:
    first = machine.budget()
    assert [await begins(first) for _ in range(MOST)] == [True] * MOST
    for _ in range(4):
        machine.advance(WINDOW / 5)
        assert not await begins(machine.budget())
    machine.advance(WINDOW / 5)
    assert await begins(machine.budget())


@pytest.mark.asyncio
@pytest.mark.parametrize("back_seconds", [10, 7200, 1_900_000_000])
async def test_a_clock_that_was_set_back_makes_nobody_wait_longer_than_the_window(
    machine: Machine, back_seconds: int
) -> None:
    first = machine.budget()
    assert [await begins(first) for _ in range(MOST)] == [True] * MOST
    machine.wall_ns = max(0, machine.wall_ns - back_seconds * SECOND_NS)
    for _ in range(2):
        machine.budget()
        machine.advance(WINDOW / 2)
    assert await begins(machine.budget())


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["connect", "restart", "boot"]), st.floats(0, WINDOW)), min_size=MOST, max_size=40
    )
)
def test_no_window_has_more_than_the_most_whatever_restarts(steps: list[tuple[str, float]]) -> None:
    async def live(machine: Machine) -> list[int]:
        begun, budget = [], machine.budget()
        for what, seconds in steps:
            machine.advance(seconds / 4)
            if what == "connect":
                begun += [machine.wall_ns] if await begins(budget) else []
            else:
                if what == "boot":
                    machine.boot()
                budget = machine.budget()
        return begun

    with TemporaryDirectory() as folder:
        begun = asyncio.run(live(Machine(Path(folder) / FILE)))
    assert all(later - at >= WINDOW * SECOND_NS - 1000 for at, later in zip(begun, begun[MOST:], strict=False))


@pytest.mark.asyncio
async def test_no_more_is_kept_than_the_window_holds(machine: Machine) -> None:
    budget = machine.budget()
    for _ in range(10):
        assert await begins(budget)
        machine.advance(WINDOW / MOST)
    saved = msgspec.json.decode(machine.path.read_bytes(), type=Saved)
    assert len(saved.connection_ages_ns) == MOST
    assert [path.name for path in machine.path.parent.iterdir()] == [FILE]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "damage", [b"", b"\xff\x00", b"{}", b"[1,", b'{"at_ns":-1,"connection_ages_ns":[],"closed_ns":0}']
)
async def test_a_damaged_file_counts_as_empty_and_is_said_once(
    machine: Machine, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    machine.path.write_bytes(damage)
    assert await begins(machine.budget())
    [said] = caplog.messages
    assert said.startswith(f"{machine.path} is damaged, so no connection is known from before this start")
    machine.begin()
    assert len(caplog.messages) == 1


SPANS = st.integers(0, 1 << 62)
SAVED = st.builds(Saved, at_ns=SPANS, connection_ages_ns=st.lists(SPANS, max_size=20), closed_ns=SPANS)


@settings(deadline=None)
@given(st.binary(max_size=200) | SAVED.map(msgspec.json.encode))
def test_whatever_the_file_holds_a_connection_begins_within_the_window(data: bytes) -> None:
    with TemporaryDirectory() as folder:
        machine = Machine(Path(folder) / FILE)
        machine.path.write_bytes(data)
        budget, spent = machine.budget(), machine.begin()
        machine.advance(WINDOW)
        assert asyncio.run(begins(budget))
        machine.advance(CLOSED_SECONDS_MOST)
        assert not spent.is_closed


@pytest.mark.asyncio
async def test_the_first_start_of_all_is_told_no_more_than_that(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    assert await begins(machine.budget())
    [record] = caplog.records
    assert (record.levelno, record.message) == (
        logging.INFO,
        f"{machine.path} is not there: no connection is known from before this start",
    )


@pytest.mark.asyncio
async def test_a_disk_that_takes_nothing_holds_nobody_up_and_is_said_once(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    """A folder is in the way of the draft."""
    draft = machine.path.with_name(f"{FILE}.tmp")
    draft.mkdir()
    budget = machine.budget()
    assert [await begins(budget) for _ in range(MOST + 1)] == [True] * MOST + [False]
    [said] = [record.message for record in caplog.records if record.levelno == logging.ERROR]
    assert said.startswith(f"{machine.path} cannot be written, so a restart may exceed the venue's limits")
    draft.rmdir()
    machine.advance(WINDOW)
    assert await begins(budget)
    assert len(machine.begin().connections) == 1


def test_a_ban_outlives_the_process_that_was_told(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    WeightBudget(6000, spent=machine.begin()).pause(120)
    machine.advance(100)
    machine.boot()
    spent = machine.begin()
    assert spent.is_closed
    assert caplog.messages == ["the venue asked to wait before this start: no call for another 20 s"]
    machine.advance(20)
    assert not spent.is_closed
    assert not machine.begin().is_closed


@pytest.mark.asyncio
async def test_no_call_is_made_during_a_ban_of_before_the_start(machine: Machine) -> None:
    WeightBudget(6000, spent=machine.begin()).pause(120)
    call = asyncio.create_task(WeightBudget(6000, spent=machine.begin()).take(1, Priority.CLOCK))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not call.done()
    machine.advance(120)
    await asyncio.wait_for(call, 5)


def test_a_clock_that_was_set_back_lengthens_no_ban(machine: Machine) -> None:
    machine.begin().close(120)
    machine.wall_ns -= 7200 * SECOND_NS
    spent = machine.begin()
    machine.advance(119)
    assert spent.is_closed
    machine.advance(1)
    assert not machine.begin().is_closed


def test_a_shorter_ban_that_is_told_later_ends_no_longer_one(machine: Machine) -> None:
    spent = machine.begin()
    spent.close(120)
    spent.close(1)
    machine.advance(119)
    assert spent.is_closed


def test_no_ban_is_longer_than_the_longest_that_venues_know(machine: Machine) -> None:
    spent = machine.begin()
    spent.close(1e300)
    machine.advance(CLOSED_SECONDS_MOST)
    assert not spent.is_closed
