"""How well predicted categories agree with the annotated ones.

Accuracy is the share of images whose category is right. Of one category, precision is the share of
the images predicted as it that are it, recall the share of its images that are predicted as it, and
F1 their harmonic mean. Macro figures are plain means over the categories that have images, so a
rare one counts as much as a common one; balanced accuracy is the mean recall. What is undefined (no
image predicted as the category, say) is 0, as with scikit-learn's ``zero_division=0``; the figures
of a category without images, as a resample may have them, are NaN.

Every image has a weight, so that the bootstrap computes thousands of resamples by one product of
matrices: an image that is drawn twice weighs 2.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from lesiongan.contracts.categories import Category
from shared.errors import BadInput

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class TestSet:
    """The test images of an experiment: the same ones for every arm and every seed.

    Raises:
        BadInput: there is no test image.
        ValueError: arrays of unequal lengths, or labels that are no place in ``categories``.
    """

    labels: Integers  # [N], places in ``categories``
    groups: Integers  # [N], the patient of each image; an image without one is a group of its own
    categories: tuple[Category, ...]
    without_patient: int = 0  # images whose patient is unknown

    def __post_init__(self) -> None:
        if self.labels.size == 0:
            raise BadInput("The data set has no test images, so its arms cannot be compared.")
        if self.labels.shape != self.groups.shape or self.labels.ndim != 1:
            raise ValueError(f"labels {self.labels.shape}, groups {self.groups.shape}")
        _check_places(self.labels, len(self.categories))

    @property
    def group_places(self) -> Integers:
        """[N], the group of each image as a place from 0 to ``n_groups - 1``."""
        return np.unique(self.groups, return_inverse=True)[1].astype(np.int64)

    @property
    def n_groups(self) -> int:
        return int(np.unique(self.groups).size)

    @property
    def n_test(self) -> Integers:
        """[K], the test images of each category."""
        return np.bincount(self.labels, minlength=len(self.categories)).astype(np.int64)


def grouped_by_patient(
    labels: Integers, patients: Sequence[str | None], categories: tuple[Category, ...]
) -> TestSet:
    """The test set of images ``[N]`` with their patients; an unknown patient is a group alone.

    Raises:
        BadInput: there is no test image.
        ValueError: arrays of unequal lengths, or labels that are no place in ``categories``.
    """
    # In order of appearance: pseudonyms differ between installations, and intervals must not.
    known = {patient: place for place, patient in enumerate(dict.fromkeys(filter(None, patients)))}
    alone = len(known)
    groups = [known[p] if p else alone + place for place, p in enumerate(patients)]
    return TestSet(
        labels=labels,
        groups=np.array(groups, dtype=np.int64),
        categories=categories,
        without_patient=sum(not patient for patient in patients),
    )


@dataclass(frozen=True, eq=False)
class Figures:
    """Figures from 0 to 1. The leading axes are the caller's: resamples, seeds, or none."""

    accuracy: Floats  # [...]
    balanced_accuracy: Floats  # [...]
    precision: Floats  # [...], macro
    recall: Floats  # [...], macro
    f1: Floats  # [...], macro
    category_precision: Floats  # [..., K]
    category_recall: Floats  # [..., K]
    category_f1: Floats  # [..., K]

    def mean_over_seeds(self, shares: Floats) -> "Figures":
        """Figures ``[B, S, ...]`` averaged over seeds, whose ``shares`` ``[B, S]`` sum to 1."""
        return Figures(
            **{
                field.name: np.einsum("bs,bs...->b...", shares, getattr(self, field.name))
                for field in fields(self)
            }
        )

    def beside(self, other: "Figures", change: Callable[[Floats, Floats], Floats]) -> "Figures":
        """``change(mine, theirs)`` of each figure."""
        return Figures(
            **{
                field.name: change(getattr(self, field.name), getattr(other, field.name))
                for field in fields(self)
            }
        )


def joined(blocks: Sequence[Figures]) -> Figures:
    """Blocks of figures, one after the other along their first axis."""
    return Figures(
        **{
            field.name: np.concatenate([getattr(block, field.name) for block in blocks])
            for field in fields(Figures)
        }
    )


def figures(test: TestSet, predictions: Integers) -> Figures:
    """The figures ``[S]`` of predicted categories ``[S, N]``: seed s's prediction of image n."""
    plain = weighted_figures(test, predictions, np.ones((1, test.labels.size)))
    return Figures(**{field.name: getattr(plain, field.name)[0] for field in fields(plain)})


def weighted_figures(test: TestSet, predictions: Integers, weights: Floats) -> Figures:
    """The figures ``[B, S]`` of predictions ``[S, N]`` when image n weighs ``weights[b, n]``.

    The largest intermediate is ``max(N, B) * S * K`` floats: for many resamples, call it in blocks.

    Raises:
        ValueError: predictions of another number of images, or that are no place in the categories.
    """
    n_categories = len(test.categories)
    if predictions.ndim != 2 or predictions.shape[1] != test.labels.size:
        raise ValueError(f"predictions {predictions.shape} of {test.labels.size} images")
    _check_places(predictions, n_categories)
    is_label = _one_hot(test.labels, n_categories)  # [N, K]
    is_predicted = _one_hot(predictions.T, n_categories)  # [N, S, K]
    is_right = is_predicted * is_label[:, None, :]
    return _from_counts(
        right=np.tensordot(weights, is_right, axes=1),
        predicted=np.tensordot(weights, is_predicted, axes=1),
        annotated=(weights @ is_label)[:, None, :],
    )


def confusion(test: TestSet, predictions: Integers) -> Integers:
    """How often an image of category i was predicted as j: ``[K, K]``, summed over seeds."""
    n_categories = len(test.categories)
    cells = test.labels[None, :] * n_categories + predictions
    counts = np.bincount(cells.ravel(), minlength=n_categories**2)
    return counts.reshape(n_categories, n_categories).astype(np.int64)


def _from_counts(right: Floats, predicted: Floats, annotated: Floats) -> Figures:
    """From weighted counts of each category: ``[B, S, K]``, and ``annotated`` ``[B, 1, K]``."""
    precision = _ratio(right, predicted)
    recall = _ratio(right, annotated)
    # 2 P R / (P + R), in counts: it stays defined where only one of P and R is.
    f1 = _ratio(2.0 * right, predicted + annotated)
    present = annotated > 0

    def macro(figure: Floats) -> Floats:
        return _ratio((figure * present).sum(axis=-1), present.sum(axis=-1))

    def known(figure: Floats) -> Floats:
        return np.where(present, figure, np.nan)

    return Figures(
        accuracy=_ratio(right.sum(axis=-1), annotated.sum(axis=-1)),
        balanced_accuracy=macro(recall),
        precision=macro(precision),
        recall=macro(recall),
        f1=macro(f1),
        category_precision=known(precision),
        category_recall=known(recall),
        category_f1=known(f1),
    )


def _ratio(part: Floats, whole: NDArray[np.float64] | NDArray[np.int64]) -> Floats:
    part, whole = np.broadcast_arrays(part, np.asarray(whole, dtype=np.float64))
    return np.divide(part, whole, out=np.zeros(part.shape), where=whole > 0)


def _one_hot(places: Integers, n_categories: int) -> Floats:
    return np.eye(n_categories)[places]


def _check_places(places: Integers, n_categories: int) -> None:
    if places.size and not 0 <= places.min() <= places.max() < n_categories:
        raise ValueError(f"categories {places.min()} to {places.max()} of {n_categories}")
