"""The geometry of the forest plot: each comparison's difference and interval on one common axis.

Places are percent of the plot's width, so that the drawing fits a phone and a sheet of paper alike.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lesiongan.contracts.findings import Comparison

#: Widths of an axis' intervals, in percentage points; the narrowest that needs few ticks is taken.
_STEPS: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
_MOST_TICKS: Final = 7


@dataclass(frozen=True)
class Tick:
    place: float  # percent of the width
    difference: float  # a share, like the comparison's


@dataclass(frozen=True)
class ForestRow:
    """Places are percent of the plot's width."""

    comparison: Comparison
    low: float
    point: float
    high: float


@dataclass(frozen=True)
class Forest:
    rows: tuple[ForestRow, ...]
    ticks: tuple[Tick, ...]
    zero: float  # percent of the width


def forest(comparisons: Sequence[Comparison]) -> Forest:
    """Lays out comparisons on an axis that holds zero and every interval."""
    ends = [0.0, *(100 * end for one in comparisons for end in (*one.ci, one.difference))]
    step = _step(max(ends) - min(ends))
    # Room on either side, so that no mark touches the edge.
    left, right = min(ends) - 0.75 * step, max(ends) + 0.75 * step

    def place(difference: float) -> float:
        return round(100 * (100 * difference - left) / (right - left), 3)

    return Forest(
        rows=tuple(
            ForestRow(one, place(one.ci[0]), place(one.difference), place(one.ci[1]))
            for one in comparisons
        ),
        ticks=tuple(
            Tick(place(n * step / 100), n * step / 100)
            for n in range(math.ceil(left / step), math.floor(right / step) + 1)
        ),
        zero=place(0.0),
    )


def _step(span: float) -> float:
    return next((step for step in _STEPS if span / step < _MOST_TICKS - 1), _STEPS[-1])
