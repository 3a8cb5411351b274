"""Which of two lines should not go on."""

import pytest

from himari_runtime.feeds.watch import LAG_SAMPLES, STALL_FRAMES, STALL_SECONDS, Lag, Watch

IDLE_SECONDS = 60.0


class Session:
    """What the watch sees of one."""

    def __init__(self) -> None:
        self.heard, self.frames, self.why = 0.0, 0, ""

    def hear(self, now: float, frames: int = STALL_FRAMES) -> None:
        self.heard, self.frames = now, self.frames + frames

    def leave(self, why: str) -> None:
        self.why = self.why or why

    abandon = leave


class Line:
    def __init__(self, session: Session | None) -> None:
        self.session = session


@pytest.fixture
def pair() -> tuple[Session, Session]:
    return Session(), Session()


def look(pair: tuple[Session, Session], *times: float, heard: float = 0.0, lag: Lag | None = None) -> list[str]:
    """Why each is replaced, after looks at `times` during which the second brings frames, the first until `heard`."""
    first, second = pair
    watch = Watch([Line(first), Line(second)], lag or Lag(), IDLE_SECONDS)
    for now in times:
        second.hear(now)
        if now <= heard:
            first.hear(now)
        watch.look(now)
    return [first.why, second.why]


def test_a_line_that_stands_still_while_the_other_goes_on_is_replaced(pair: tuple[Session, Session]) -> None:
    assert look(pair, 1, 2, 3, STALL_SECONDS + 1.1, heard=1) == ["stalled", ""]


def test_lines_of_a_quiet_venue_stay(pair: tuple[Session, Session]) -> None:
    first, second = pair
    watch = Watch([Line(first), Line(second)], Lag(), IDLE_SECONDS)
    for now in range(int(IDLE_SECONDS)):
        watch.look(float(now))
    assert (first.why, second.why) == ("", "")


def test_silence_ends_a_line(pair: tuple[Session, Session]) -> None:
    first, second = pair
    Watch([Line(first), Line(None)], Lag(), IDLE_SECONDS).look(IDLE_SECONDS + 1)
    assert (first.why, second.why) == ("idle", "")


@pytest.mark.parametrize(("behind_ns", "why"), [(100_000_000, ""), (2_000_000_000, "lagging")])
def test_a_line_that_lags_is_replaced(pair: tuple[Session, Session], behind_ns: int, why: str) -> None:
    lag = Lag()
    for serial in range(2 * LAG_SAMPLES):
        at_ns = serial * 100_000_000
        lag.note(pair[1], "BTC/USDT", serial, at_ns)
        lag.note(pair[0], "BTC/USDT", serial, at_ns + behind_ns)
    assert look(pair, 1, heard=1, lag=lag) == [why, ""]
