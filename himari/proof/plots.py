"""Small plots of a window, as SVG that takes its colours from the page."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element, tostring

import leather  # type: ignore[import-untyped]  # it ships no types
import msgspec
from markupsafe import Markup

from himari.proof.course import SECOND, Course, Delay, Rate

WIDTH, HEIGHT = 420, 190
SHOWN = 5  # symbols: more lines than that cannot be told apart
COLOURS = tuple(f"var(--plot-{number})" for number in range(1, SHOWN + 1))
MILLISECONDS_A_SECOND = 1000

Points = Sequence[float | None]


class Plot(msgspec.Struct, frozen=True, kw_only=True):
    """A picture, and what it shows in words."""

    title: str
    says: str
    svg: str


def plots(course: Course | None) -> list[Plot]:
    """The rates of the busiest symbols, and each delay."""
    if course is None:
        return []
    return [
        *([_rates(course)] if course.rates else []),
        *(_delay(course, delay) for delay in course.delays if any(delay.over)),
    ]


def _rates(course: Course) -> Plot:
    shown = course.rates[:SHOWN]
    others = f"; the {SHOWN} busiest of {len(course.rates)} symbols" if len(course.rates) > SHOWN else ""
    mean = sum(map(_mean, course.rates))
    says = f"{mean:,.0f} a second on average over all symbols{others}"
    return _plot("Events a second", says, course, {rate.symbol: rate.events for rate in shown})


def _delay(course: Course, delay: Delay) -> Plot:
    scale, unit = (MILLISECONDS_A_SECOND, "s") if delay.p99 >= 2 * MILLISECONDS_A_SECOND else (1, "ms")
    whole = (("p50", delay.p50), ("p90", delay.p90), ("p99", delay.p99), ("greatest", delay.greatest))
    lines: dict[str, Points] = {
        name: [None if pair is None else pair[index] / scale for pair in delay.over]
        for index, name in enumerate(("p50", "p99"))
    }
    says = ", ".join(f"{name} {took / scale:.3g} {unit}" for name, took in whole)
    return _plot(f"From {delay.way.replace(' to ', ' until ')}, {unit}", says, course, lines)


def _plot(title: str, says: str, course: Course, lines: dict[str, Points]) -> Plot:
    """`lines` by name, a point for each step of the window; below it are seconds."""
    step = course.step_ns / SECOND
    chart = leather.Chart()
    chart.add_x_scale(0, max(1, max(map(len, lines.values())) * step))
    chart.add_y_scale(0, 1.15 * max((point for points in lines.values() for point in points if point), default=1.0))
    for (name, points), colour in zip(lines.items(), COLOURS, strict=False):
        chart.add_line([((n + 0.5) * step, y) for n, y in enumerate(points)], name=name, stroke_color=colour, width=1.8)
    svg = Element("svg", {"viewBox": f"0 0 {WIDTH} {HEIGHT}", "role": "img", "aria-label": f"{title}: {says}"})
    svg.append(chart.to_svg_group(WIDTH, HEIGHT))
    return Plot(title=title, says=says, svg=Markup(tostring(svg, encoding="unicode")))  # noqa: S704 - escaped by ElementTree


def _mean(rate: Rate) -> float:
    return sum(rate.events) / max(1, len(rate.events))
