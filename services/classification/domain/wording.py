"""What an experiment shows and does not show, in plain words."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from lesiongan.contracts.arms import Arm
from lesiongan.contracts.findings import ArmResult, Comparison, Worth
from lesiongan.contracts.gans import MOST_DRAWS, GanOptions
from services.classification.domain.evaluation import TestSet
from services.classification.domain.resampling import RESAMPLES

#: A category with fewer patients (or images without one) than this gets a note.
_FEW: Final = 10
#: Below so many test images one image moves an accuracy by half a point or more.
_FEW_IMAGES: Final = 200

#: How a sentence names the arm that another one is compared with.
_AGAINST: Final[dict[Arm, str]] = {
    "none": "without augmentation",
    "traditional": "with traditional augmentation",
    "distil": "with distil, without a GAN",
    "pseudo_label": "with pseudo label, without a GAN",
}
_NO_GAN: Final[tuple[Arm, ...]] = ("distil", "pseudo_label")
#: Pairs whose difference the summary gives, the most telling one first; any other after them.
_HEADLINES: Final[tuple[tuple[Arm, Arm], ...]] = (
    ("combined", "none"),
    ("combined", "traditional"),
    ("gan", "none"),
    ("traditional", "none"),
)
#: Said beside any of them: what the GAN adds to what is done anyhow.
_BESIDE: Final[tuple[Arm, Arm]] = ("combined", "traditional")


def summary(
    arms: Sequence[ArmResult],
    comparisons: Sequence[Comparison],
    *,
    n_test: int,
    n_seeds: int,
    phantom: bool,
    sizes: Sequence[int] = (),
    worth: Sequence[Worth] = (),
) -> str:
    """What is shown and what is not, in one plain sentence; percent and percentage points.

    A second one says what the first of ``worth`` is, with the fewest of the ``sizes`` of a sweep.

    Raises:
        ValueError: there is no arm.
    """
    if not arms:
        raise ValueError("an experiment without an arm has no summary")
    seeds = "one seed" if n_seeds == 1 else f"{n_seeds} seeds"
    headline = _headline(comparisons)
    said = f"On {n_test:,} test images and {seeds}, {_main_claim(arms, comparisons, headline)}"
    if worth:
        said = f"With {sizes[0]} real images of each category: o{said[1:]}"
    said += _controls([one for one in comparisons if one is not headline])
    said += " (phantom images: this says nothing about patients)." if phantom else "."
    return f"{said} {_worth(worth[0], sizes)}" if worth else said


def _headline(comparisons: Sequence[Comparison]) -> Comparison | None:
    by_pair = {(one.a, one.b): one for one in comparisons}
    found = [by_pair[pair] for pair in _HEADLINES if pair in by_pair]
    return next(iter([*found, *comparisons]), None)


def _worth(one: Worth, sizes: Sequence[int]) -> str:
    reaches = f"reaches with {images(one.equivalent)}"
    if one.beyond == "below":
        reaches += " or fewer"
    elif one.beyond == "above":
        reaches = f"does not reach even with {images(one.equivalent)}"
    low, high = map(images, one.ci)
    low += " or fewer" if one.ci[0] <= sizes[0] else ""
    high += " or more" if one.ci[1] >= sizes[-1] else ""
    return (
        f"What {one.arm} reaches with {one.train_per_category} real images of each category, "
        f"{one.baseline} {reaches} (95 % interval {low} to {high})."
    )


def images(count: float) -> str:
    """A number of images that need not be whole: ``6.1``, ``1,040``."""
    return f"{count:.1f}" if count < 10 and count != int(count) else f"{count:,.0f}"


def _controls(comparisons: Sequence[Comparison]) -> str:
    """The controls without a GAN that beat ``combined``, and those that it is not shown to beat.

    Where ``combined`` is not there, ``gan`` stands for it; pseudo labels come with augmented images
    then, which is said.
    """
    arm = "combined" if any(one.a == "combined" for one in comparisons) else "gan"
    controls = [one for one in comparisons if one.a == arm and one.b in _NO_GAN]
    better = [one.b for one in controls if one.shown and one.difference < 0]
    level = [one.b for one in controls if not one.shown]
    how = "without a GAN" if arm == "combined" else "augmented and without a GAN"
    return _said_of(better, how, "better") + _said_of(level, how, "not shown to be worse")


def _said_of(arms: Sequence[str], how: str, what: str) -> str:
    if not arms:
        return ""
    names = " and ".join(map(_spaced, arms))
    return f"; {names}, {how}, {'is' if len(arms) == 1 else 'are'} {what}"


def _spaced(arm: str) -> str:
    return arm.replace("_", " ")


def _main_claim(
    arms: Sequence[ArmResult], comparisons: Sequence[Comparison], headline: Comparison | None
) -> str:
    accuracy = {one.arm: one.accuracy for one in arms}
    if headline is None:
        reached = " and ".join(
            f"{_spaced(arm)} reached {100 * figure.mean:.1f} % accuracy "
            f"(95 % interval {100 * figure.ci[0]:.1f} to {100 * figure.ci[1]:.1f})"
            for arm, figure in accuracy.items()
        )
        return f"{reached}; no arm was compared with another"
    a, b = headline.a, headline.b
    said = (
        f"{_spaced(a)} data reached {100 * accuracy[a].mean:.1f} % accuracy against "
        f"{100 * accuracy[b].mean:.1f} % {_AGAINST[b]} ({_points(headline, full=True)})"
    )
    if not headline.shown:
        said += f", a difference that is {_not_shown(headline)}"
    elif headline.difference < 0:
        said += ", which is worse"
    second = next((one for one in comparisons if (one.a, one.b) == _BESIDE), None)
    if second is None or second is headline:
        return said
    verdict = f"is {_not_shown(second)}"
    if second.shown:
        verdict = f"is shown to be {'above' if second.difference > 0 else 'below'} zero"
    return f"{said}; against traditional augmentation the difference ({_points(second)}) {verdict}"


def _not_shown(comparison: Comparison) -> str:
    said = "not shown to differ from zero"
    if comparison.leaves_out_zero:
        said += " once it is corrected for all comparisons"
    return said


def _points(comparison: Comparison, *, full: bool = False) -> str:
    low, high = (f"{100 * end:.1f}" for end in comparison.ci)
    words = (" points", "95 % interval ") if full else ("", "")
    return f"{100 * comparison.difference:+.1f}{words[0]}, {words[1]}{low} to {high}"


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
            "and the intervals are wide for that."
        )
    if test.without_patient:
        said.append(_of_unknown_patients(test))
    if test.n_groups == 1:
        said.append(
            "All test images are of one patient: what is found says nothing of others, so every "
            "interval is as wide as can be."
        )
    scarce = _scarce_categories(test)
    if scarce:
        said.append(f"Few test patients or images, so their own figures say little: {scarce}.")
    if n_comparisons > 1:
        said.append(
            f"p values are given as they are and corrected for {n_comparisons} comparisons (Holm)."
        )
    if phantom:
        said.append("The images are phantoms, not patients: this says nothing about patients.")
    return said


def of_few_images(arms: Sequence[ArmResult], comparisons: Sequence[Comparison], n: int) -> str:
    """How little so few test images can tell; empty where there are enough."""
    if n >= _FEW_IMAGES:
        return ""
    widths = [100 * (one.accuracy.ci[1] - one.accuracy.ci[0]) for one in arms]
    said = (
        f"{n} test images are few: one image is {100 / n:.1f} points, and the 95 % intervals of "
        f"the accuracies are {min(widths):.1f} to {max(widths):.1f} points wide"
    )
    apart = [100 * (one.ci[1] - one.ci[0]) for one in comparisons]
    if apart:
        said += f", those of their differences {min(apart):.1f} to {max(apart):.1f}"
    return said + ". A smaller difference than half of that is seldom seen."


def of_common(*, n_seeds: int, images: bool, gan: bool) -> list[str]:
    """What all seeds have in common, so that no interval knows how it would be with another."""
    if n_seeds == 1:
        return []
    common = [what for what, is_common in (("real images", images), ("GAN", gan)) if is_common]
    return [
        f"All seeds have the same {what}: the intervals do not hold the uncertainty of having "
        f"{'others' if what.endswith('s') else 'another'}."
        for what in common
    ]


class Beside(NamedTuple):
    """Training images that a GAN saw beside the real ones: with the category that a classifier
    named, and without any."""

    named: int
    unnamed: int


def of_unlabelled(beside: Sequence[Beside], options: GanOptions) -> str:
    """What the GANs did with the unlabelled images, each GAN's number."""
    seen = []
    if any(each.named for each in beside):
        named = _range([each.named for each in beside])
        seen.append(f"{named} training images with the category that its teacher named")
    uses = []
    if options.pretrain_steps:
        uses.append(f"in the first {options.pretrain_steps:,} of {options.steps:,} steps")
    if options.unlabelled_share:
        uses.append(f"in {options.unlabelled_share:.0%} of each batch")
    if uses and any(each.unnamed for each in beside):
        unnamed = _range([each.unnamed for each in beside])
        what = f"{unnamed} training images whose category it was not told"
        seen.append(f"{what} ({' and '.join(uses)})")
    if not seen:
        return "The GANs saw no unlabelled image, though unlabelled images were asked for."
    return (
        f"A setting of its own: beside the real images each GAN saw {', and '.join(seen)}. Only "
        "pseudo label uses the same images without a GAN: compare with that."
    )


def of_rounds(rounds: int) -> str:
    """How unlabelled images were named, where that was done more than once."""
    return (
        f"Unlabelled images were named {rounds} times: the classifier that learnt from the names "
        "of one round was the teacher of the next. The GANs and pseudo label were told what the "
        "last teacher said."
    )


def _range(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


class Screened(NamedTuple):
    """What sampling a synthetic data set took: draws that were thrown away, and images that no
    draw but the last kept away from the training images."""

    images: int
    drawn_again: int
    may_be_copies: int


def of_copies(screened: Sequence[Screened], *, left_out: bool) -> str:
    """How near the synthetic images come to training images, and what was done about it."""
    images, drawn_again, last = (sum(each) for each in zip(*screened, strict=True))
    if not drawn_again:
        return f"None of {images:,} synthetic images was thrown away as a copy of a training image."
    said = (
        f"For {images:,} synthetic images {drawn_again:,} draws were thrown away: they came too "
        "near to a training image"
    )
    if not last:
        return f"{said}."
    done = "left out" if left_out else "kept (filter_copies leaves them out)"
    return f"{said}. {last:,} took the last of {MOST_DRAWS} draws, may be copies, and were {done}."


def _how_measured(test: TestSet, n_seeds: int, resamples: int) -> str:
    units = "images" if test.without_patient == test.labels.size else "patients"
    drawn = units if n_seeds == 1 else f"seeds and {units}"
    return (
        f"Intervals are 95 % percentile intervals of {resamples:,} bootstrap resamples of {drawn}, "
        "the same ones for every arm, expanded to what Student's t asks for so many."
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
