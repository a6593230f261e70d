"""Train, validation and test by patient, stratified by category, seeded.

The default fractions are the paper's: 23,205 / 5,775 / 3,020 images. Scikit-learn's
``StratifiedGroupKFold`` has folds of equal size only, hence our own greedy assignment; the
criterion is the same one, the squared deviation of category counts.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from lesiongan.contracts.categories import CATEGORIES, SPLITS, Category, Split
from shared.errors import BadInput

DEFAULT_FRACTIONS: Final = (0.725, 0.18, 0.095)

#: Greedy passes in different seeded orders; the one nearest to the fractions wins.
_PASSES: Final = 4


#: Whether to keep the source's own split: where it is complete, never, or in any case.
Keep = bool | Literal["always"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitItem:
    """One image, as far as splitting is concerned."""

    category: Category | None
    patient: str | None
    sha256: str  # of the source's pixels: equal images without a patient stay together
    split: Split | None = None  # the source's own


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitResult:
    """``splits[i]`` belongs to item i."""

    splits: tuple[Split, ...]
    kept: bool  # the source's own split was complete and kept
    without_patient: int  # images whose patient is unknown: each is its own group
    missing: tuple[tuple[Category, Split], ...]  # categories that have no image in a split


def _nothing() -> None:
    """Nobody waits between two passes."""


def assign_splits(
    items: Sequence[SplitItem],
    *,
    fractions: tuple[float, float, float] = DEFAULT_FRACTIONS,
    seed: int = 0,
    keep: Keep = True,
    overlap: bool = False,
    on_pass: Callable[[], None] = _nothing,
) -> SplitResult:
    """Assigns every image to a split; a patient's images go together.

    ``keep`` keeps the source's own split when it is complete: every image has one, and labelled
    images are in all three (DeepLesion's official training split has no labels, so it is not).
    ``always`` keeps it even so. ``overlap`` lets a kept split put one patient into two.
    Otherwise the split is new and depends on images, fractions and seed alone, not on order.
    Unlabelled images follow their patient; patients without any label are for training.
    ``on_pass`` is called about once a second where images are many: what it raises ends the work.

    Raises:
        BadInput: fractions that are not positive or do not sum to 1, or a kept split that puts one
            patient into two, or that lacks an image.
    """
    _check_fractions(fractions)
    kept = keep == "always" or (keep and _is_complete(items))
    if kept:
        splits = _own_splits(items, overlap=overlap)
    else:
        splits = _new_splits(items, _groups_of(items), fractions, seed, on_pass)
    return SplitResult(
        splits=splits,
        kept=kept,
        without_patient=sum(item.patient is None for item in items),
        missing=_missing(items, splits),
    )


def _check_fractions(fractions: tuple[float, float, float]) -> None:
    if min(fractions) <= 0 or abs(sum(fractions) - 1) > 1e-6:
        raise BadInput("The fractions of train, val and test must be above 0 and sum to 1.")


def _is_complete(items: Iterable[SplitItem]) -> bool:
    labelled = {item.split for item in items if item.category is not None}
    return labelled == set(SPLITS) and all(item.split is not None for item in items)


def _groups_of(items: Sequence[SplitItem]) -> list[list[int]]:
    """Indices of images that belong together: of one patient, or equal ones, whoever's they are."""
    groups = _Groups()
    for item in items:
        groups.join(f"image {item.sha256}", f"patient {item.patient}" if item.patient else None)
    found: dict[str, list[int]] = {}
    for index, item in enumerate(items):
        found.setdefault(groups.name_of(f"image {item.sha256}"), []).append(index)
    return list(found.values())


class _Groups:
    """Names that were joined, directly or through others: a forest of sets, paths halved.

    Source: Tarjan and van Leeuwen, "Worst-case analysis of set union algorithms", J. ACM 31, 1984.
    """

    def __init__(self) -> None:
        self._above: dict[str, str] = {}

    def join(self, one: str, other: str | None) -> None:
        self._above.setdefault(one, one)
        if other is not None:
            self._above.setdefault(other, other)
            self._above[self.name_of(other)] = self.name_of(one)

    def name_of(self, name: str) -> str:
        """The name that stands for all that were joined with ``name``."""
        above = self._above
        while above[name] != name:
            above[name] = name = above[above[name]]
        return name


def _own_splits(items: Sequence[SplitItem], *, overlap: bool) -> tuple[Split, ...]:
    lacking = sum(item.split is None for item in items)
    if lacking:
        raise BadInput(
            f"{lacking} images have no split of the source's own to keep; ask for a new split."
        )
    split_of: dict[str, Split | None] = {}
    for item in items:
        known = split_of.setdefault(item.patient, item.split) if item.patient else item.split
        if known != item.split and not overlap:
            raise BadInput(
                "The source's own split puts one patient into two splits; ask for a new split."
            )
    return tuple(item.split for item in items if item.split is not None)


def _missing(
    items: Sequence[SplitItem], splits: Sequence[Split]
) -> tuple[tuple[Category, Split], ...]:
    present = {(item.category, split) for item, split in zip(items, splits, strict=True)}
    categories = [
        category for category in CATEGORIES if any((category, s) in present for s in SPLITS)
    ]
    return tuple((c, s) for c in categories for s in SPLITS if (c, s) not in present)


def _new_splits(
    items: Sequence[SplitItem],
    groups: list[list[int]],
    fractions: tuple[float, float, float],
    seed: int,
    on_pass: Callable[[], None],
) -> tuple[Split, ...]:
    names = [_content_name(items, group) for group in groups]
    counts = np.array([_category_counts(items, group) for group in groups], np.float64)
    counts = counts.reshape(len(groups), len(CATEGORIES))
    best = np.inf, np.zeros(len(groups), np.intp)
    for turn in range(_PASSES):
        on_pass()
        keys = [_shuffled(seed, turn, name) for name in names]
        order = sorted(range(len(groups)), key=keys.__getitem__)
        labelled = np.array([g for g in order if counts[g].any()], np.intp)
        assigned = np.zeros(len(groups), np.intp)  # without labels: train
        assigned[labelled] = assignment = _Greedy(counts[labelled], fractions).assign()
        deviation = _deviation(counts[labelled], assignment, fractions)
        if deviation < best[0]:
            best = deviation, assigned
    splits: list[Split] = ["train"] * len(items)
    for group, split in zip(groups, best[1], strict=True):
        for index in group:
            splits[index] = SPLITS[split]
    return tuple(splits)


def _content_name(items: Sequence[SplitItem], group: Sequence[int]) -> tuple[str, str]:
    """Names a group by its images first: the same on every installation, whatever the pseudonyms.

    The patient decides only between groups that share their first image.
    """
    return min(items[index].sha256 for index in group), items[group[0]].patient or ""


def _shuffled(seed: int, turn: int, name: tuple[str, str]) -> tuple[bytes, tuple[str, str]]:
    """A sorting key: a pseudo-random permutation that depends on seed and content alone."""
    return hashlib.sha256(f"{seed}/{turn}/{name[0]}".encode()).digest(), name


def _category_counts(items: Sequence[SplitItem], group: Sequence[int]) -> list[int]:
    counts = Counter(items[index].category for index in group)
    return [counts[category] for category in CATEGORIES]


class _Greedy:
    """Places groups one by one where they bring category counts nearest to their targets.

    ``counts [G, C]`` in the order of placing; categories are weighted alike, and so is the total.
    """

    def __init__(self, counts: NDArray[np.float64], fractions: tuple[float, float, float]) -> None:
        totals = counts.sum(0)
        columns = np.concatenate([counts, counts.sum(1, keepdims=True)], 1)
        scale = np.maximum(np.append(totals, totals.sum()), 1.0)
        self._shares = columns / scale  # of each category, and of all
        self._counts = counts
        self._room = np.outer(fractions, (columns / scale).sum(0))  # [3, C + 1], shrinks
        self._assigned = np.full(len(counts), -1, np.intp)

    def assign(self) -> NDArray[np.intp]:
        self._give_every_split_every_category()
        for group in np.flatnonzero(self._assigned < 0):
            self._place(int(group), int(np.argmin(self._cost(self._shares[group]))))
        return self._assigned

    def _give_every_split_every_category(self) -> None:
        """Rarest category first, one group for each split that lacks it, where three exist."""
        groups_with = (self._counts > 0).sum(0)
        for category in np.argsort(groups_with, kind="stable"):
            if groups_with[category] < len(SPLITS):
                continue
            for split in reversed(range(len(SPLITS))):
                self._provide(int(category), split)

    def _provide(self, category: int, split: int) -> None:
        holds = self._counts[:, category] > 0
        free = np.flatnonzero(holds & (self._assigned < 0))
        if (holds & (self._assigned == split)).any() or not len(free):
            return
        costs = [self._cost(self._shares[group])[split] for group in free]
        self._place(int(free[int(np.argmin(costs))]), split)

    def _cost(self, share: NDArray[np.float64]) -> NDArray[np.float64]:
        """Change of the summed squared shortfall if a group goes to each split: ``[3]``."""
        return np.asarray((share * (share - 2 * self._room)).sum(1))

    def _place(self, group: int, split: int) -> None:
        self._assigned[group] = split
        self._room[split] -= self._shares[group]


def _deviation(
    counts: NDArray[np.float64], assigned: NDArray[np.intp], fractions: tuple[float, float, float]
) -> float:
    """Largest difference, over categories and splits, between share and fraction."""
    totals = np.maximum(counts.sum(0), 1.0)
    held = np.stack([counts[assigned == split].sum(0) for split in range(len(SPLITS))])
    wanted = np.outer(fractions, counts.sum(0))
    return float((np.abs(held - wanted) / totals).max()) if len(counts) else 0.0
