"""How sure we are of a figure and of the difference between two arms.

Percentile intervals by the bootstrap (Efron and Tibshirani, "An Introduction to the Bootstrap",
1993, chapters 13 and 16), in two levels: seeds are drawn with replacement, and so are patients,
whose images come along together. Every seed predicts the same test images, so seeds and patients
are crossed and not nested: a resample draws one set of patients for all of its seeds (Owen, "The
pigeonhole bootstrap", Ann. Appl. Stat. 1(2), 2007). To draw new patients for each seed would divide
the test set's share of the variance by the number of seeds, and promise more than was measured.
All arms see the same resamples, so that differences are paired.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lesiongan.contracts.experiments import (
    Arm,
    ArmResult,
    CategoryFigures,
    Comparison,
    Figure,
)
from services.classification.domain.evaluation import (
    Figures,
    Floats,
    Integers,
    TestSet,
    figures,
    joined,
    weighted_figures,
)

#: Bootstrap resamples behind every interval.
RESAMPLES: Final = 2_000

_LEVEL: Final = 0.95
#: Resamples computed at once: 5,000 images x 20 seeds x 8 categories take about 50 MB.
_BLOCK: Final = 128
#: Differences below this are rounding of sums in another order, not images.
_ROUNDING: Final = 1e-12
#: A category with fewer patients (or images without one) than this gets a note.
_FEW: Final = 10


@dataclass(frozen=True, eq=False)
class Resamples:
    """What is drawn how often in each of B resamples."""

    groups: NDArray[np.uint16]  # [B, G]
    seeds: NDArray[np.uint16]  # [B, S]


@dataclass(frozen=True, kw_only=True)
class ArmImages:
    """The training images of an arm, the same number for each seed."""

    train: int  # all of them
    augmented: int = 0
    synthetic: int = 0


@dataclass(frozen=True, eq=False)
class Measured:
    """The figures of one arm as observed ``[S]``, and in each resample ``[B]``."""

    arm: Arm
    observed: Figures
    resampled: Figures


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
    return Measured(arm, observed=figures(test, predictions), resampled=joined(blocks))


def arm_result(measured: Measured, test: TestSet, images: ArmImages) -> ArmResult:
    """The row of an arm in the experiment's table."""
    observed, resampled = measured.observed, measured.resampled
    return ArmResult(
        arm=measured.arm,
        train_images=images.train,
        augmented_images=images.augmented,
        synthetic_images=images.synthetic,
        accuracy=_figure(observed.accuracy, resampled.accuracy),
        balanced_accuracy=_figure(observed.balanced_accuracy, resampled.balanced_accuracy),
        precision=_figure(observed.precision, resampled.precision),
        recall=_figure(observed.recall, resampled.recall),
        f1=_figure(observed.f1, resampled.f1),
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


def compare(a: Measured, b: Measured) -> Comparison:
    """The difference in accuracy, a - b, of two arms that were measured on the same resamples.

    ``p`` is twice the smaller share of resamples on either side of zero, in the form
    ``(1 + count) / (B + 1)`` that never claims zero (Davison and Hinkley, "Bootstrap Methods and
    Their Application", 1997, equation 4.11), and at most 1.
    """
    difference = float(a.observed.accuracy.mean() - b.observed.accuracy.mean())
    resampled = a.resampled.accuracy - b.resampled.accuracy
    smaller = min(np.sum(resampled <= _ROUNDING), np.sum(resampled >= -_ROUNDING))
    return Comparison(
        a=a.arm,
        b=b.arm,
        difference=difference,
        ci=_interval(resampled),
        p=min(1.0, 2.0 * (1.0 + float(smaller)) / (resampled.size + 1.0)),
    )


def compare_all(measured: Sequence[Measured]) -> list[Comparison]:
    """Every arm against ``none``, and ``combined`` against ``traditional``: what the GAN adds."""
    by_arm = {one.arm: one for one in measured}
    pairs: list[tuple[Arm, Arm]] = [(one.arm, "none") for one in measured if one.arm != "none"]
    pairs.append(("combined", "traditional"))
    return [compare(by_arm[a], by_arm[b]) for a, b in pairs if a in by_arm and b in by_arm]


#: How a sentence names the arm that another one is compared with.
_AGAINST: Final[dict[Arm, str]] = {
    "none": "without augmentation",
    "traditional": "with traditional augmentation",
}
#: Pairs whose difference the summary gives, the most telling one first.
_HEADLINES: Final[tuple[tuple[Arm, Arm], ...]] = (
    ("combined", "none"),
    ("combined", "traditional"),
    ("gan", "none"),
    ("traditional", "none"),
)


def summary(
    arms: Sequence[ArmResult],
    comparisons: Sequence[Comparison],
    *,
    n_test: int,
    n_seeds: int,
    phantom: bool,
) -> str:
    """What is shown and what is not, in one plain sentence; percent and percentage points.

    Raises:
        ValueError: there is no arm.
    """
    if not arms:
        raise ValueError("an experiment without an arm has no summary")
    seeds = "one seed" if n_seeds == 1 else f"{n_seeds} seeds"
    said = f"On {n_test:,} test images and {seeds}, {_main_claim(arms, comparisons)}"
    return said + (" (phantom images: this says nothing about patients)." if phantom else ".")


def _main_claim(arms: Sequence[ArmResult], comparisons: Sequence[Comparison]) -> str:
    accuracy = {one.arm: one.accuracy for one in arms}
    by_pair = {(one.a, one.b): one for one in comparisons}
    pair = next((pair for pair in _HEADLINES if pair in by_pair), None)
    if pair is None:
        reached = " and ".join(
            f"{arm} reached {100 * figure.mean:.1f} % accuracy "
            f"(95 % interval {100 * figure.ci[0]:.1f} to {100 * figure.ci[1]:.1f})"
            for arm, figure in accuracy.items()
        )
        return f"{reached}; no arm was compared with another"
    a, b = pair
    said = (
        f"{a} data reached {100 * accuracy[a].mean:.1f} % accuracy against "
        f"{100 * accuracy[b].mean:.1f} % {_AGAINST[b]} ({_points(by_pair[pair], full=True)})"
    )
    if not _is_shown(by_pair[pair]):
        said += ", a difference that is not shown to differ from zero"
    elif by_pair[pair].difference < 0:
        said += ", which is worse"
    second = by_pair.get(("combined", "traditional"))
    if b == "traditional" or second is None:
        return said
    verdict = "is not shown to differ from zero"
    if _is_shown(second):
        verdict = f"is shown to be {'above' if second.difference > 0 else 'below'} zero"
    return f"{said}; against traditional augmentation the difference ({_points(second)}) {verdict}"


def _points(comparison: Comparison, *, full: bool = False) -> str:
    low, high = (f"{100 * end:.1f}" for end in comparison.ci)
    words = (" points", "95 % interval ") if full else ("", "")
    return f"{100 * comparison.difference:+.1f}{words[0]}, {words[1]}{low} to {high}"


def _is_shown(comparison: Comparison) -> bool:
    return not comparison.ci[0] <= 0.0 <= comparison.ci[1]


def notes(
    test: TestSet, *, n_seeds: int, phantom: bool, n_comparisons: int, resamples: int = RESAMPLES
) -> list[str]:
    """What a reader must know to judge the figures, one sentence or two each."""
    said = [_how_measured(test, n_seeds, resamples)]
    if n_seeds == 1:
        said.append(
            "With one seed the intervals hold only the uncertainty of the test images, "
            "not that of drawing other training images or training again."
        )
    elif n_seeds < 5:
        said.append(
            f"{n_seeds} seeds are few: the spread between seeds is known only roughly, "
            "and the intervals may be too narrow."
        )
    if test.without_patient:
        said.append(_of_unknown_patients(test))
    scarce = _scarce_categories(test)
    if scarce:
        said.append(f"Few test patients or images, so their own figures say little: {scarce}.")
    if n_comparisons > 1:
        said.append("The p values are not corrected for the number of comparisons.")
    if phantom:
        said.append("The images are phantoms, not patients: this says nothing about patients.")
    return said


def _how_measured(test: TestSet, n_seeds: int, resamples: int) -> str:
    units = "images" if test.without_patient == test.labels.size else "patients"
    drawn = units if n_seeds == 1 else f"seeds and {units}"
    return (
        f"Intervals are 95 % percentile intervals of {resamples:,} bootstrap resamples of {drawn}, "
        "the same ones for every arm."
    )


def _of_unknown_patients(test: TestSet) -> str:
    if test.without_patient == test.labels.size:
        return (
            "The patients of the test images are unknown, so images were resampled as if each "
            "came from another patient; where they do not, the intervals are too narrow."
        )
    return (
        f"The patient of {test.without_patient:,} of {test.labels.size:,} test images is unknown; "
        "each of these was resampled as a patient of its own."
    )


def _scarce_categories(test: TestSet) -> str:
    places = test.group_places
    counts = {
        category: int(np.unique(places[test.labels == k]).size)
        for k, category in enumerate(test.categories)
    }
    return ", ".join(f"{category} ({n})" for category, n in counts.items() if n < _FEW)


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
        ci=_interval(resampled),
    )


def _interval(resampled: Floats) -> tuple[float, float]:
    tail = (1.0 - _LEVEL) / 2.0
    low, high = np.quantile(resampled, [tail, 1.0 - tail])
    return float(low), float(high)
