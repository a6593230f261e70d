"""How sure we are of a figure and of the difference between two arms.

Percentile intervals by the bootstrap (Efron and Tibshirani, "An Introduction to the Bootstrap",
1993, chapters 13 and 16), in two levels: seeds are drawn with replacement, and so are patients,
whose images come along together. Every seed predicts the same test images, so seeds and patients
are crossed and not nested: a resample draws one set of patients for all of its seeds (Owen, "The
pigeonhole bootstrap", Ann. Appl. Stat. 1(2), 2007). To draw new patients for each seed would divide
the test set's share of the variance by the number of seeds, and promise more than was measured.
All arms see the same resamples, so that differences are paired.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lesiongan.contracts.arms import Arm
from lesiongan.contracts.findings import (
    ArmResult,
    Calibration,
    CategoryFigures,
    Comparison,
    Figure,
    SeedTest,
)
from services.classification.domain.calibration import calibration_error, tempered
from services.classification.domain.evaluation import (
    Figures,
    Floats,
    Integers,
    TestSet,
    figures,
    joined,
    weighted_figures,
)
from services.classification.domain.paired import holm, mcnemar
from services.classification.domain.ranking import macro_auc

#: Bootstrap resamples behind every interval.
RESAMPLES: Final = 2_000

_LEVEL: Final = 0.95
#: Resamples computed at once: 5,000 images x 20 seeds x 8 categories take about 50 MB.
_BLOCK: Final = 128
#: Differences below this are rounding of sums in another order, not images.
ROUNDING: Final = 1e-12


@dataclass(frozen=True, eq=False)
class Resamples:
    """What is drawn how often in each of B resamples."""

    groups: NDArray[np.uint16]  # [B, G]
    seeds: NDArray[np.uint16]  # [B, S]


@dataclass(frozen=True, kw_only=True)
class ArmImages:
    """The training images of an arm: the mean over seeds, which differ where some are filtered."""

    train: int  # all of them
    augmented: int = 0
    synthetic: int = 0
    pseudo_labelled: int = 0


@dataclass(frozen=True, eq=False)
class Measured:
    """The figures of one arm as observed ``[S]``, and in each resample ``[B]``."""

    arm: Arm
    observed: Figures
    resampled: Figures
    predictions: Integers  # [S, N]


@dataclass(frozen=True, eq=False)
class Sampled:
    """One figure as observed ``[S]``, and in each resample ``[B]``."""

    observed: Floats
    resampled: Floats


@dataclass(frozen=True, eq=False)
class Graded:
    """What an arm's probabilities say beyond its predicted categories."""

    auc: Sampled
    error: Sampled
    #: After temperature scaling; None where a seed had no ``val`` to fit a temperature on.
    error_tempered: Sampled | None
    temperatures: Sequence[float]


def draw_resamples(
    test: TestSet, *, n_seeds: int, random_seed: int, resamples: int = RESAMPLES
) -> Resamples:
    """Draws patients and seeds with replacement; the same arguments give the same draws."""
    random = np.random.default_rng(random_seed)
    return Resamples(
        seeds=_draw_counts(random, n_seeds, resamples),
        groups=_draw_counts(random, test.n_groups, resamples),
    )


def measure(arm: Arm, test: TestSet, predictions: Integers, resamples: Resamples) -> Measured:
    """The figures of an arm from its predicted categories ``[S, N]``.

    Raises:
        ValueError: predictions of another number of images or seeds than the resamples have.
    """
    return Measured(
        arm, figures(test, predictions), _resampled(test, predictions, resamples), predictions
    )


def accuracy(test: TestSet, predictions: Integers, resamples: Resamples) -> Figure:
    """That of predictions ``[S, N]`` which are no arm's; raises as :func:`measure` does."""
    resampled = _resampled(test, predictions, resamples)
    return _figure(figures(test, predictions).accuracy, resampled.accuracy)


def _resampled(test: TestSet, predictions: Integers, resamples: Resamples) -> Figures:
    if len(predictions) != resamples.seeds.shape[1]:
        raise ValueError(f"{len(predictions)} seeds, resamples of {resamples.seeds.shape[1]}")
    shares = resamples.seeds / len(predictions)
    places = test.group_places
    blocks = []
    for start in range(0, len(shares), _BLOCK):
        rows = slice(start, start + _BLOCK)
        weights = resamples.groups[rows][:, places].astype(np.float64)
        block = weighted_figures(test, predictions, weights)
        blocks.append(block.mean_over_seeds(shares[rows]))
    return joined(blocks)


def grade(
    test: TestSet,
    probabilities: NDArray[np.float32],
    temperatures: Sequence[float | None],
    resamples: Resamples,
) -> Graded:
    """AUC and calibration of an arm's probabilities ``[S, N, K]``, on the same resamples.

    ``temperatures`` are each seed's, fitted on ``val``.
    """
    fitted = [each for each in temperatures if each is not None]
    scaled = None
    if len(fitted) == len(probabilities):
        each_scaled = [tempered(p, t) for p, t in zip(probabilities, fitted, strict=True)]
        scaled = _sampled(test, each_scaled, calibration_error, resamples)
    return Graded(
        auc=_sampled(test, probabilities, macro_auc, resamples),
        error=_sampled(test, probabilities, calibration_error, resamples),
        error_tempered=scaled,
        temperatures=fitted,
    )


def _sampled(
    test: TestSet,
    probabilities: Iterable[Any],
    figure: Callable[[Integers, Any, Floats], Floats],
    resamples: Resamples,
) -> Sampled:
    """``figure(labels, probabilities, weights)`` of each seed, averaged over the seeds drawn."""
    places = test.group_places
    plain = np.ones((1, test.labels.size))
    observed, total = [], np.zeros(len(resamples.seeds))
    for seed, each in enumerate(probabilities):
        observed.append(float(figure(test.labels, each, plain)[0]))
        shares = resamples.seeds[:, seed] / resamples.seeds.shape[1]
        for start in range(0, len(shares), _BLOCK):
            rows = slice(start, start + _BLOCK)
            weights = resamples.groups[rows][:, places].astype(np.float64)
            total[rows] += shares[rows] * figure(test.labels, each, weights)
    return Sampled(np.asarray(observed), total)


def arm_result(
    measured: Measured, test: TestSet, images: ArmImages, graded: Graded | None = None
) -> ArmResult:
    """The row of an arm in the experiment's table."""
    observed, resampled = measured.observed, measured.resampled
    return ArmResult(
        arm=measured.arm,
        train_images=images.train,
        augmented_images=images.augmented,
        synthetic_images=images.synthetic,
        pseudo_labelled_images=images.pseudo_labelled,
        accuracy=_figure(observed.accuracy, resampled.accuracy),
        balanced_accuracy=_figure(observed.balanced_accuracy, resampled.balanced_accuracy),
        precision=_figure(observed.precision, resampled.precision),
        recall=_figure(observed.recall, resampled.recall),
        f1=_figure(observed.f1, resampled.f1),
        auc=None if graded is None else _of(graded.auc),
        calibration=None if graded is None else _calibration(graded),
        per_category={
            category: CategoryFigures(
                n_test=int(test.n_test[k]),
                precision=_figure(
                    observed.category_precision[:, k], resampled.category_precision[:, k]
                ),
                recall=_figure(observed.category_recall[:, k], resampled.category_recall[:, k]),
                f1=_figure(observed.category_f1[:, k], resampled.category_f1[:, k]),
            )
            for k, category in enumerate(test.categories)
        },
    )


def _calibration(graded: Graded) -> Calibration:
    scaled = graded.error_tempered
    return Calibration(
        error=_of(graded.error),
        error_tempered=None if scaled is None else _of(scaled),
        temperatures=list(graded.temperatures),
    )


def compare(a: Measured, b: Measured, test: TestSet) -> Comparison:
    """The difference in accuracy, a - b, of two arms that were measured on the same resamples.

    ``p`` is twice the smaller share of resamples on either side of zero, in the form
    ``(1 + count) / (B + 1)`` that never claims zero (Davison and Hinkley, "Bootstrap Methods and
    Their Application", 1997, equation 4.11), and at most 1.
    """
    difference = float(a.observed.accuracy.mean() - b.observed.accuracy.mean())
    resampled = a.resampled.accuracy - b.resampled.accuracy
    smaller = min(np.sum(resampled <= ROUNDING), np.sum(resampled >= -ROUNDING))
    return Comparison(
        a=a.arm,
        b=b.arm,
        difference=difference,
        ci=interval_of(resampled),
        p=min(1.0, 2.0 * (1.0 + float(smaller)) / (resampled.size + 1.0)),
        within_seeds=[
            SeedTest(seed=seed, only_a=only_a, only_b=only_b, p=p)
            for seed, (only_a, only_b, p) in enumerate(
                mcnemar(test.labels, one, other)
                for one, other in zip(a.predictions, b.predictions, strict=True)
            )
        ],
    )


#: What was asked first, and then whether it was the GAN: ``combined`` against each control.
_PAIRS: Final[tuple[tuple[Arm, Arm], ...]] = (
    ("combined", "none"),
    ("combined", "traditional"),
    ("combined", "distil"),
    ("combined", "pseudo_label"),
    ("gan", "none"),
    ("traditional", "none"),
    ("distil", "traditional"),
    ("pseudo_label", "traditional"),
    ("oversample", "none"),
    ("class_weights", "none"),
)


def compare_all(measured: Sequence[Measured], test: TestSet) -> list[Comparison]:
    """Each pair of ``_PAIRS`` whose arms are there. ``p_holm`` is left to :func:`corrected`."""
    by_arm = {one.arm: one for one in measured}
    pairs = [(a, b) for a, b in _PAIRS if a in by_arm and b in by_arm]
    return [compare(by_arm[a], by_arm[b], test) for a, b in pairs]


def corrected(families: Sequence[Sequence[Comparison]]) -> list[list[Comparison]]:
    """The same comparisons with p values corrected over all of them (Holm), list by list."""
    adjusted = iter(holm([one.p for family in families for one in family]))
    return [
        [one.model_copy(update={"p_holm": next(adjusted)}) for one in family] for family in families
    ]


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


def _figure(observed: Floats, resampled: Floats) -> Figure:
    return Figure(
        mean=float(observed.mean()),
        sd=float(observed.std(ddof=1)) if observed.size > 1 else None,
        ci=interval_of(resampled),
    )


def _of(sampled: Sampled) -> Figure:
    return _figure(sampled.observed, sampled.resampled)


def interval_of(resampled: Floats) -> tuple[float, float]:
    """The middle 95 % of resampled figures ``[B]``."""
    tail = (1.0 - _LEVEL) / 2.0
    low, high = np.quantile(resampled, [tail, 1.0 - tail])
    return float(low), float(high)
