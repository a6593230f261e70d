"""What is drawn how often, and the intervals that resampled figures make.

The bootstrap (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapters 13 and 16)
in two levels: seeds are drawn with replacement, and so are patients, whose images come along
together. Every seed predicts the same test images, so seeds and patients are crossed and not
nested: a resample draws one set of patients for all of its seeds (Owen, "The pigeonhole bootstrap",
Ann. Appl. Stat. 1(2), 2007). To draw new patients for each seed would divide the test set's share
of the variance by the number of seeds, and promise more than was measured. All arms see the same
resamples, so that differences are paired.

Percentile intervals of few units are too narrow: they are expanded to what Student's t asks for
(Hesterberg, "What teachers should know about the bootstrap", The American Statistician 69(4),
2015). Without that, three seeds show a difference in every fourth study of none.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, t

from services.classification.domain.evaluation import Floats, Integers, TestSet

#: Bootstrap resamples behind every interval, at least.
RESAMPLES: Final = 2_000
#: More of them for each comparison: the smallest p, corrected for all, is 0.02 then.
_FOR_A_COMPARISON: Final = 100

_LEVEL: Final = 0.95
_TAIL: Final = (1.0 - _LEVEL) / 2.0
#: Resamples computed at once: 5,000 images x 20 seeds x 8 categories take about 50 MB.
_BLOCK: Final = 128
#: Differences below this are rounding of sums in another order, not images.
ROUNDING: Final = 1e-12


@dataclass(frozen=True, eq=False)
class Resamples:
    """What is drawn how often in each of B resamples."""

    groups: NDArray[np.uint16]  # [B, G]
    seed_shares: Floats  # [B, S], which sum to 1
    #: How much more, or less, each seed's figure on all test images counts: they sum to 0. On the
    #: images that were drawn it would expand the luck of these images too.
    seed_excess: Floats  # [B, S]

    @property
    def patients_expansion(self) -> float:
        """How far resampled figures are moved from the observed one, for so many patients."""
        return expansion(self.groups.shape[1])

    def blocks(self, group_places: Integers) -> Iterator[tuple[slice, Floats]]:
        """Rows of the resamples, and how often each image ``[N]`` is drawn in each of them."""
        for start in range(0, len(self.groups), _BLOCK):
            rows = slice(start, start + _BLOCK)
            yield rows, self.groups[rows][:, group_places].astype(np.float64)


def enough_resamples(n_comparisons: int) -> int:
    """How many resamples let so many comparisons be shown after their correction."""
    return max(RESAMPLES, _FOR_A_COMPARISON * n_comparisons)


def draw_resamples(
    test: TestSet, *, n_seeds: int, random_seed: int, resamples: int = RESAMPLES
) -> Resamples:
    """Draws patients and seeds with replacement; the same arguments give the same draws."""
    random = np.random.default_rng(random_seed)
    drawn = _draw_counts(random, n_seeds, resamples) / n_seeds
    even = 1.0 / n_seeds
    # The spread of a lone seed is unknown, which the notes of an experiment say.
    spread = expansion(n_seeds) if n_seeds > 1 else 1.0
    return Resamples(
        seed_shares=drawn,
        seed_excess=(spread - 1.0) * (drawn - even),
        groups=_draw_counts(random, test.n_groups, resamples),
    )


def expansion(n: int) -> float:
    """By what the deviations of resampled means of ``n`` units are multiplied; NaN for one unit.

    ``sqrt(n / (n - 1))`` for the variance that resamples lack, and Student's t of ``n - 1`` degrees
    of freedom in place of the normal distribution.
    """
    if n < 2:
        return math.nan
    tails = float(t.ppf(1.0 - _TAIL, n - 1) / norm.ppf(1.0 - _TAIL))
    return math.sqrt(n / (n - 1)) * tails


def expanded(resampled: Floats, observed: Floats | float, by: float) -> Floats:
    """Resampled figures ``[B, ...]``, ``by`` times as far from ``observed`` ``[...]``."""
    moved: Floats = observed + by * (resampled - observed)
    return moved


def interval_of(resampled: Floats, within: tuple[float, float] = (0.0, 1.0)) -> tuple[float, float]:
    """The middle 95 % of resampled figures ``[B]``, cut at the ends of ``within``.

    NaN where a resample has no such figure; all of ``within`` where none has.
    """
    known = resampled[~np.isnan(resampled)]
    if not known.size:
        return within
    low, high = np.clip(np.quantile(known, [_TAIL, 1.0 - _TAIL]), *within)
    return float(low), float(high)


def two_sided_p(resampled: Floats) -> float:
    """Twice the smaller share of resampled differences ``[B]`` on either side of zero, at most 1.

    In the form ``(1 + count) / (B + 1)`` that never claims zero (Davison and Hinkley, "Bootstrap
    Methods and Their Application", 1997, equation 4.11). 1 where nothing is known.
    """
    if np.isnan(resampled).any():
        return 1.0
    smaller = min(np.sum(resampled <= ROUNDING), np.sum(resampled >= -ROUNDING))
    return min(1.0, 2.0 * (1.0 + float(smaller)) / (resampled.size + 1.0))


def _draw_counts(random: np.random.Generator, n: int, resamples: int) -> NDArray[np.uint16]:
    """[resamples, n]: how often each of n is drawn when n are drawn with replacement."""
    counts = np.empty((resamples, n), dtype=np.uint16)
    for start in range(0, resamples, _BLOCK):
        rows = min(_BLOCK, resamples - start)
        drawn = random.integers(n, size=(rows, n)) + np.arange(rows)[:, None] * n
        counts[start : start + rows] = np.bincount(drawn.ravel(), minlength=rows * n).reshape(
            rows, n
        )
    return counts
