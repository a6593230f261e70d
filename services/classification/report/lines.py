"""The geometry of charts that draw a line for each arm.

Places are percent of the plot's sides, so that the drawing fits a phone and a sheet of paper alike;
``y`` counts from the top, as SVG does.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

#: Distances of an axis' ticks; the narrowest that needs few ticks is taken.
_STEPS: Final[tuple[float, ...]] = tuple(float(f"{n}e{e}") for e in range(-4, 5) for n in (1, 2, 5))
_MOST_TICKS: Final = 6
#: Percent of the width between the intervals of two arms at one place.
_DODGE: Final = 0.9


@dataclass(frozen=True)
class Dot:
    """A value at ``x``, and its interval where it has one."""

    x: float
    y: float
    ci: tuple[float, float] | None = None


@dataclass(frozen=True)
class Mark:
    """A dot in its place."""

    x: float
    y: float
    low: float
    high: float


@dataclass(frozen=True)
class Line:
    name: str
    #: Which of the colours and dashes it has.
    number: int
    marks: tuple[Mark, ...]

    @property
    def pieces(self) -> list[tuple[Mark, Mark]]:
        """Straight from each mark to the next."""
        return list(zip(self.marks, self.marks[1:], strict=False))


@dataclass(frozen=True)
class AxisTick:
    place: float
    label: str


@dataclass(frozen=True)
class Chart:
    lines: tuple[Line, ...]
    across: tuple[AxisTick, ...]
    up: tuple[AxisTick, ...]


def chart(
    series: Mapping[str, Sequence[Dot]], *, logarithmic: bool = False, percent: bool = True
) -> Chart:
    """A line for each of ``series``.

    ``logarithmic``: ``x`` are a few sizes, each a tick of its own; otherwise steps from zero.
    ``percent``: ``y`` are shares.

    Raises:
        ValueError: there is nothing to draw.
    """
    dots = [dot for each in series.values() for dot in each]
    if not dots:
        raise ValueError("a chart without a dot")
    across, x_ticks = _sizes(dots) if logarithmic else _steps(dots)
    up, y_ticks = _values(dots, percent=percent)
    lines = []
    for number, (name, each) in enumerate(series.items()):
        aside = _DODGE * (number - (len(series) - 1) / 2) if logarithmic else 0.0
        marks = tuple(_mark(dot, across(dot.x) + aside, up) for dot in each)
        lines.append(Line(name, number, marks))
    return Chart(tuple(lines), x_ticks, y_ticks)


def _mark(dot: Dot, x: float, up: Callable[[float], float]) -> Mark:
    low, high = dot.ci or (dot.y, dot.y)
    return Mark(round(x, 3), up(dot.y), up(low), up(high))


def _sizes(dots: Sequence[Dot]) -> tuple[Callable[[float], float], tuple[AxisTick, ...]]:
    sizes = sorted({dot.x for dot in dots})
    first, last = math.log(sizes[0]), math.log(sizes[-1])

    def place(x: float) -> float:
        return round(6 + 88 * (math.log(x) - first) / ((last - first) or 1.0), 3)

    return place, tuple(AxisTick(place(size), f"{size:,.0f}") for size in sizes)


def _steps(dots: Sequence[Dot]) -> tuple[Callable[[float], float], tuple[AxisTick, ...]]:
    last = max(dot.x for dot in dots)
    step = _step(last)

    def place(x: float) -> float:
        return round(100 * x / last, 3)

    ticks = [n * step for n in range(math.floor(last / step) + 1)]
    return place, tuple(AxisTick(place(x), f"{x:,.0f}") for x in ticks)


def _values(
    dots: Sequence[Dot], *, percent: bool
) -> tuple[Callable[[float], float], tuple[AxisTick, ...]]:
    ends: list[float] = [end for dot in dots for end in (dot.y, *(dot.ci or ()))]
    step = _step((max(ends) - min(ends)) or 0.1)
    low = math.floor(min(ends) / step)
    high = max(math.ceil(max(ends) / step), low + 1)

    def place(y: float) -> float:
        share: float = (y / step - low) / (high - low)
        return round(100 * (1 - share), 3)

    def label(y: float) -> str:
        return f"{100 * y:.{1 if step < 0.01 else 0}f}" if percent else f"{y:.4g}"

    ticks = [n * step for n in range(low, high + 1)]
    return place, tuple(AxisTick(place(y), label(y)) for y in ticks)


def _step(span: float) -> float:
    fitting = [step for step in _STEPS if span / step <= _MOST_TICKS]
    return fitting[0] if fitting else _STEPS[-1]
