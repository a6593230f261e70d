"""How many real images synthetic ones are worth: a baseline's learning curve, read backwards.

The curve is the baseline's accuracy with each number of real images, made monotone by isotonic
regression (Barlow, Bartholomew, Bremner and Brunk, "Statistical inference under order
restrictions", 1972) and straight between two numbers over their logarithm. The interval comes from
the resamples behind all other intervals: each has a curve of its own, and is read at the arm's
accuracy in the same resample.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import numpy as np
from sklearn.isotonic import isotonic_regression

from lesiongan.contracts.arms import Arm
from lesiongan.contracts.findings import Worth
from services.classification.domain.comparison import Measured, Pair
from services.classification.domain.evaluation import Floats
from services.classification.domain.resampling import ROUNDING, interval_of

#: Who is read off whose curve: the most telling first.
_PAIRS: Final[tuple[Pair, ...]] = (
    ("combined", "traditional"),
    ("combined", "none"),
    ("gan", "none"),
    ("traditional", "none"),
)


def worths(sizes: Sequence[int], measured: Sequence[Mapping[Arm, Measured]]) -> list[Worth]:
    """Each arm at each of ``sizes`` (ascending), with which ``measured`` were measured.

    Raises:
        ValueError: fewer than two sizes make no curve.
    """
    if len(sizes) < 2:
        raise ValueError("a curve needs two sizes")
    found = []
    for arm, baseline in _PAIRS:
        if not all({arm, baseline} <= each.keys() for each in measured):
            continue
        curve = np.stack([each[baseline].resampled.accuracy for each in measured], axis=1)
        seen = np.array([[each[baseline].observed.accuracy.mean() for each in measured]])
        for size, each in zip(sizes, measured, strict=True):
            reached = float(each[arm].observed.accuracy.mean())
            equivalent, beyond = _equivalent(sizes, seen[0], reached)
            found.append(
                Worth(
                    arm=arm,
                    baseline=baseline,
                    train_per_category=size,
                    equivalent=equivalent,
                    ci=_interval(sizes, curve, each[arm].resampled.accuracy),
                    beyond=beyond,
                )
            )
    return found


def _interval(sizes: Sequence[int], curves: Floats, reached: Floats) -> tuple[float, float]:
    whole = (float(sizes[0]), float(sizes[-1]))
    if np.isnan(reached).any():
        return whole
    return interval_of(equivalents(sizes, curves, reached), within=whole)


def equivalents(sizes: Sequence[int], curves: Floats, reached: Floats) -> Floats:
    """``[B]``: the fewest images with which each of ``curves`` ``[B, S]`` has ``reached`` ``[B]``.

    Where a curve begins above, the smallest of ``sizes``; where it ends below, the largest.
    """
    images = np.asarray(sizes, dtype=np.float64)
    rising = np.stack([isotonic_regression(curve) for curve in curves])
    enough = rising >= reached[:, None] - ROUNDING
    first = np.where(enough.any(axis=1), enough.argmax(axis=1), len(sizes) - 1)
    before = np.maximum(first - 1, 0)
    rows = np.arange(len(rising))
    low, high = rising[rows, before], rising[rows, first]
    share = np.divide(reached - low, high - low, out=np.ones(len(rising)), where=high > low)
    share = np.clip(share, 0.0, 1.0)
    found: Floats = images[before] * (images[first] / images[before]) ** share
    return found


def _equivalent(
    sizes: Sequence[int], curve: Floats, reached: float
) -> tuple[float, Literal["below", "above"] | None]:
    """How many images have ``reached``, and whether the curve ``[S]`` ends before it has."""
    rising = isotonic_regression(curve)
    if rising[-1] + ROUNDING < reached <= curve.max() + ROUNDING:
        # One of the sizes did reach it: that a larger one did not has lowered the rising curve.
        return float(sizes[int(np.argmax(curve >= reached - ROUNDING))]), None
    found = float(equivalents(sizes, curve[None], np.array([reached]))[0])
    if reached < rising[0] - ROUNDING:
        return found, "below"
    return found, "above" if reached > rising[-1] + ROUNDING else None
