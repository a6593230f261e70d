"""How sure we are of a figure and of the difference between two arms.

All intervals come from one set of resamples: see :mod:`services.classification.domain.resampling`.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
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
from services.classification.domain.resampling import (
    Resamples,
    expanded,
    interval_of,
    two_sided_p,
)


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


def measure(arm: Arm, test: TestSet, predictions: Integers, resamples: Resamples) -> Measured:
    """The figures of an arm from its predicted categories ``[S, N]``.

    Raises:
        ValueError: predictions of another number of images or seeds than the resamples have.
    """
    observed = figures(test, predictions)
    resampled = _resampled(test, predictions, resamples).beside(
        observed, lambda drawn, seen: _spread(drawn, seen, resamples)
    )
    return Measured(arm, observed, resampled, predictions)


def accuracy(test: TestSet, predictions: Integers, resamples: Resamples) -> Figure:
    """That of predictions ``[S, N]`` which are no arm's; raises as :func:`measure` does."""
    observed = figures(test, predictions).accuracy
    resampled = _resampled(test, predictions, resamples).accuracy
    return _figure(observed, _spread(resampled, observed, resamples))


def _spread(drawn: Floats, observed: Floats, resamples: Resamples) -> Floats:
    """Resampled figures ``[B, ...]`` of seeds' ``observed`` ones ``[S, ...]``, expanded for few
    seeds and few patients.
    """
    more = np.tensordot(resamples.seed_excess, observed, axes=1)
    return expanded(drawn + more, observed.mean(axis=0), resamples.patients_expansion)


def _resampled(test: TestSet, predictions: Integers, resamples: Resamples) -> Figures:
    shares = resamples.seed_shares
    if len(predictions) != shares.shape[1]:
        raise ValueError(f"{len(predictions)} seeds, resamples of {shares.shape[1]}")
    blocks = []
    for rows, weights in resamples.blocks(test.group_places):
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
    observed, total = [], np.zeros(len(resamples.seed_shares))
    for seed, each in enumerate(probabilities):
        observed.append(float(figure(test.labels, each, plain)[0]))
        shares = resamples.seed_shares[:, seed]
        for rows, weights in resamples.blocks(places):
            total[rows] += shares[rows] * figure(test.labels, each, weights)
    seen = np.asarray(observed)
    return Sampled(seen, _spread(total, seen, resamples))


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
        error=_reflected(graded.error),
        error_tempered=None if scaled is None else _reflected(scaled),
        temperatures=list(graded.temperatures),
    )


def compare(a: Measured, b: Measured, test: TestSet) -> Comparison:
    """The difference in accuracy, a - b, of two arms that were measured on the same resamples."""
    difference = float(a.observed.accuracy.mean() - b.observed.accuracy.mean())
    resampled = a.resampled.accuracy - b.resampled.accuracy
    return Comparison(
        a=a.arm,
        b=b.arm,
        difference=difference,
        ci=interval_of(resampled, within=(-1.0, 1.0)),
        p=two_sided_p(resampled),
        within_seeds=[
            SeedTest(seed=seed, only_a=only_a, only_b=only_b, p=p)
            for seed, (only_a, only_b, p) in enumerate(
                mcnemar(test.labels, one, other)
                for one, other in zip(a.predictions, b.predictions, strict=True)
            )
        ],
    )


#: Two arms that are compared, ``a - b``.
Pair = tuple[Arm, Arm]

#: What was asked first, and then whether it was the GAN: ``combined`` against each control.
_PAIRS: Final[tuple[Pair, ...]] = (
    ("combined", "none"),
    ("combined", "traditional"),
    ("combined", "distil"),
    ("combined", "pseudo_label"),
    ("gan", "none"),
    ("gan", "pseudo_label"),
    ("traditional", "none"),
    ("distil", "traditional"),
    ("pseudo_label", "traditional"),
    ("oversample", "none"),
    ("class_weights", "none"),
)


def pairs_of(arms: Collection[Arm]) -> list[Pair]:
    """Each pair of ``_PAIRS`` whose arms are there."""
    return [(a, b) for a, b in _PAIRS if a in arms and b in arms]


def compare_all(
    measured: Sequence[Measured], test: TestSet, pairs: Sequence[Pair]
) -> list[Comparison]:
    """Each of ``pairs``. ``p_holm`` is left to :func:`corrected`."""
    by_arm = {one.arm: one for one in measured}
    return [compare(by_arm[a], by_arm[b], test) for a, b in pairs]


def corrected(families: Sequence[Sequence[Comparison]]) -> list[list[Comparison]]:
    """The same comparisons with p values corrected over all of them (Holm), list by list."""
    adjusted = iter(holm([one.p for family in families for one in family]))
    return [
        [one.model_copy(update={"p_holm": next(adjusted)}) for one in family] for family in families
    ]


def _figure(observed: Floats, resampled: Floats) -> Figure:
    return Figure(
        mean=float(observed.mean()),
        sd=float(observed.std(ddof=1)) if observed.size > 1 else None,
        ci=interval_of(resampled),
    )


def _of(sampled: Sampled) -> Figure:
    return _figure(sampled.observed, sampled.resampled)


def _reflected(sampled: Sampled) -> Figure:
    """Of a figure that chance makes larger, and resampling once more: the basic interval.

    Davison and Hinkley, equation 5.6: how far resamples lie above what was observed is how far that
    lies above the truth.
    """
    mean = float(sampled.observed.mean())
    return _figure(sampled.observed, 2.0 * mean - sampled.resampled)
