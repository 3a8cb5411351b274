"""Plots are plain SVG in the page's colours, whatever the figures are."""

from xml.etree import ElementTree

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from himari.proof.course import Course, Delay, Rate
from himari.proof.plots import SHOWN, plots

COURSE = Course(start_ns=0, end_ns=20 * 10**9, step_ns=10**9, lines=[], faults=[], gaps=[], rates=[], delays=[])
FIGURES = st.integers(0, 10**12).map(lambda thousandths: thousandths / 1000)
OVER = st.lists(st.none() | st.tuples(FIGURES, FIGURES), max_size=60).filter(any)


@settings(deadline=None, max_examples=30)
@given(events=st.lists(FIGURES, min_size=1, max_size=60), over=OVER)
def test_any_figures_can_be_drawn(events: list[float], over: list[tuple[float, float] | None]) -> None:
    delay = Delay(way="sent to journaled", p50=1, p90=2, p99=3, greatest=4, over=over)
    drawn = plots(msgspec.structs.replace(COURSE, rates=[Rate(symbol="<BTC>", events=events)], delays=[delay]))
    assert [plot.title for plot in drawn] == ["Events a second", "From sent until journaled, ms"]
    for plot in drawn:
        root = ElementTree.fromstring(plot.svg)  # noqa: S314 - we have just written it
        assert root.tag == "svg"
        assert root.get("viewBox")
        assert "http" not in plot.svg


def test_only_the_busiest_symbols_are_drawn_and_it_says_so() -> None:
    rates = [Rate(symbol=f"COIN{n}", events=[float(100 - n)]) for n in range(SHOWN + 3)]
    (plot,) = plots(msgspec.structs.replace(COURSE, rates=rates))
    assert f"the {SHOWN} busiest of {SHOWN + 3} symbols" in plot.says
    assert plot.svg.count("<path") == SHOWN


def test_long_delays_are_told_in_seconds() -> None:
    delay = Delay(way="journaled to stored", p50=5000, p90=6000, p99=9000, greatest=9500, over=[(5000, 9000)])
    (plot,) = plots(msgspec.structs.replace(COURSE, delays=[delay]))
    assert plot.title == "From journaled until stored, s"
    assert plot.says == "p50 5 s, p90 6 s, p99 9 s, greatest 9.5 s"


def test_no_course_has_no_plots() -> None:
    assert plots(None) == []
