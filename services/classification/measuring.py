"""From predictions to the contract's figures: arms, comparisons, words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lesiongan.contracts.arms import Arm
from lesiongan.contracts.findings import (
    ArmResult,
    Comparison,
    Figure,
    LearningPoint,
    Sweep,
    SweepPoint,
)
from lesiongan.contracts.gans import GanOptions
from services.classification.domain import comparison, resampling, wording
from services.classification.domain.evaluation import TestSet, confusion
from services.classification.domain.recognition import recognised_share
from services.classification.domain.worth import worths
from services.classification.planned import PlannedExperiment
from shared.db.tables import ClassifierRow

#: Of the bootstrap: the same predictions give the same intervals.
BOOTSTRAP_SEED = 0


@dataclass(frozen=True)
class Asked:
    """The experiment."""

    command: PlannedExperiment
    phantom: bool


@dataclass(frozen=True, kw_only=True)
class Predicted:
    """What all classifiers of one number of real images say; lists have an entry a seed."""

    train_per_category: int | None
    #: [seeds, images, categories] of each arm.
    probabilities: Mapping[Arm, NDArray[np.float32]]
    classifiers: Mapping[Arm, Sequence[ClassifierRow]]
    #: [seeds, images] by the lesions' places alone; None where they are not known.
    by_place: NDArray[np.int64] | None
    #: Whether each synthetic image was named right; empty where there is none.
    recognised: Sequence[NDArray[np.bool_]]
    #: Of the synthetic images; empty where there is none.
    screened: Sequence[wording.Screened]
    #: What each seed's GAN saw beside the real images; empty without one.
    beside: Sequence[wording.Beside]


@dataclass(frozen=True, kw_only=True)
class Table:
    """The figures of one number of real images."""

    train_per_category: int | None
    measured: list[comparison.Measured]
    arms: list[ArmResult]
    comparisons: list[Comparison]
    trts: Figure | None
    location_only: Figure | None


def tabulated(asked: Asked, test: TestSet, predicted: Sequence[Predicted]) -> dict[str, Any]:
    """The members of the contract's ``Experiment`` that hold what was found."""
    command = asked.command
    pairs = [_pairs(each) for each in predicted]
    n_comparisons = sum(map(len, pairs))
    n_resamples = resampling.enough_resamples(n_comparisons)
    resamples = resampling.draw_resamples(
        test, n_seeds=command.seeds, random_seed=BOOTSTRAP_SEED, resamples=n_resamples
    )
    measured = [_measured(test, each, resamples) for each in predicted]
    compared = comparison.corrected(
        [
            comparison.compare_all(of_arms, test, each)
            for of_arms, each in zip(measured, pairs, strict=True)
        ]
    )
    tables = [
        _table(test, each, of_arms, comparisons, resamples)
        for each, of_arms, comparisons in zip(predicted, measured, compared, strict=True)
    ]
    first, n_test = tables[0], len(test.labels)
    sizes = [one.train_per_category for one in tables if one.train_per_category is not None]
    sweep = _sweep(sizes, tables)
    return {
        "n_test": n_test,
        "arms": [each.model_dump(mode="json") for each in first.arms],
        "comparisons": [each.model_dump(mode="json") for each in first.comparisons],
        "trts": _as_json(first.trts),
        "location_only": _as_json(first.location_only),
        "sweep": None if sweep is None else sweep.model_dump(mode="json"),
        "summary": wording.summary(
            first.arms,
            first.comparisons,
            n_test=n_test,
            n_seeds=command.seeds,
            phantom=asked.phantom,
            sizes=sizes,
            worth=[] if sweep is None else sweep.worth,
        ),
        "notes": [
            *wording.notes(
                test,
                n_seeds=command.seeds,
                phantom=asked.phantom,
                n_comparisons=n_comparisons,
                resamples=n_resamples,
            ),
            *filter(None, [wording.of_few_images(first.arms, first.comparisons, n_test)]),
            *_of_options(asked, predicted),
        ],
    }


def _pairs(predicted: Predicted) -> list[comparison.Pair]:
    """What is compared: two arms of the same classifiers would only make Holm's family larger."""
    ids = {arm: [row.id for row in rows] for arm, rows in predicted.classifiers.items()}
    return [(a, b) for a, b in comparison.pairs_of(predicted.probabilities) if ids[a] != ids[b]]


def _as_json(figure: Figure | None) -> dict[str, Any] | None:
    return None if figure is None else figure.model_dump(mode="json")


def _categories_of(probabilities: NDArray[np.float32]) -> NDArray[np.int64]:
    places: NDArray[np.int64] = probabilities.argmax(axis=2).astype(np.int64)
    return places


def _measured(
    test: TestSet, predicted: Predicted, resamples: resampling.Resamples
) -> list[comparison.Measured]:
    return [
        comparison.measure(arm, test, _categories_of(each), resamples)
        for arm, each in predicted.probabilities.items()
    ]


def _table(
    test: TestSet,
    predicted: Predicted,
    measured: list[comparison.Measured],
    compared: list[Comparison],
    resamples: resampling.Resamples,
) -> Table:
    arms = [
        comparison.arm_result(
            each,
            test,
            _arm_images(predicted.classifiers[each.arm]),
            comparison.grade(
                test,
                predicted.probabilities[each.arm],
                [row.scores.get("temperature") for row in predicted.classifiers[each.arm]],
                resamples,
            ),
        ).model_copy(
            update={
                "confusion": confusion(test, each.predictions).tolist(),
                "learning_curve": learning_curve(
                    [row.scores.get("curve", []) for row in predicted.classifiers[each.arm]]
                ),
            }
        )
        for each in measured
    ]
    return Table(
        train_per_category=predicted.train_per_category,
        measured=measured,
        arms=arms,
        comparisons=compared,
        trts=recognised_share(predicted.recognised) if predicted.recognised else None,
        location_only=(
            None
            if predicted.by_place is None
            else comparison.accuracy(test, predicted.by_place, resamples)
        ),
    )


def _sweep(sizes: Sequence[int], tables: Sequence[Table]) -> Sweep | None:
    """None of one number of real images."""
    if len(sizes) < 2:
        return None
    by_arm = [{one.arm: one for one in each.measured} for each in tables]
    return Sweep(
        points=[
            SweepPoint(
                train_per_category=size,
                arms=each.arms,
                comparisons=each.comparisons,
                trts=each.trts,
                location_only=each.location_only,
            )
            for size, each in zip(sizes, tables, strict=True)
        ],
        worth=worths(sizes, by_arm),
    )


def learning_curve(curves: Sequence[Sequence[Mapping[str, Any]]]) -> list[LearningPoint]:
    """The mean of the seeds' curves, at the steps where all of them were looked at."""
    known = [{point["step"]: point for point in curve} for curve in curves]
    steps = sorted(set.intersection(*(set(curve) for curve in known))) if known else []
    found = []
    for step in steps:
        points = [curve[step] for curve in known]
        reached = [point["val_balanced_accuracy"] for point in points]
        found.append(
            LearningPoint(
                step=step,
                train_loss=mean(point["train_loss"] for point in points),
                val_balanced_accuracy=None if None in reached else mean(reached),
            )
        )
    return found


def _arm_images(classifiers: Sequence[ClassifierRow]) -> comparison.ArmImages:
    """Means over seeds, each rounded by itself, and their sum: so the parts make up the whole."""
    counts = [row.train_counts for row in classifiers]
    names = ("real", "augmented", "synthetic", "pseudo_labelled")
    parts = {name: round(mean(each.get(name, 0) for each in counts)) for name in names}
    whole = sum(parts.values())
    del parts["real"]
    return comparison.ArmImages(train=whole, **parts)


def _of_options(asked: Asked, predicted: Sequence[Predicted]) -> list[str]:
    """What the options make of the arms."""
    command, said = asked.command, []
    if command.preset == "seed":
        said.append(
            "Preset seed: after the LesionGAN paper. It claimed 78.95 % against 71.93 % on 57 test "
            "images, on which it had also picked its best epochs; here they are picked on val."
        )
    if "oversample" in command.arms and command.classifier.balance:
        said.append(
            "Every arm draws its categories equally often (classifier.balance), so oversample is "
            "the same classifier as none."
        )
    said += wording.of_common(
        n_seeds=command.seeds,
        images=command.train_per_category is None,
        gan=command.gan_id is not None,
    )
    if command.pseudo_rounds > 1:
        said.append(wording.of_rounds(command.pseudo_rounds))
    screened = [one for each in predicted for one in each.screened]
    if screened:
        said.append(wording.of_copies(screened, left_out=command.filter_copies))
    beside = [one for each in predicted for one in each.beside]
    if command.unlabelled and beside and command.gan_id is None:
        said.append(wording.of_unlabelled(beside, command.gan or GanOptions()))
    return said
