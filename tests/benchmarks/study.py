"""The arms that need no GAN, on real images: what controls and baselines are worth.

    python -m tests.benchmarks.study ARCHIVE.zip --seeds 3 --per-category 20 --split val

ARCHIVE is in the *folders* layout with a complete split. Arms, statistics and options are those of
``POST /experiments``; ``--split test`` opens the test images, once all is chosen. ``--json`` writes
the whole table.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from lesiongan.contracts.arms import Arm
from lesiongan.contracts.augmentation import usual_operations
from lesiongan.contracts.categories import CATEGORIES
from lesiongan.contracts.findings import ArmResult, Comparison
from services.classification.domain import comparison, resampling, teaching, wording
from services.classification.domain.calibration import fit_temperature
from services.classification.domain.evaluation import TestSet, grouped_by_patient
from services.classification.domain.images import LabelledImages
from services.classification.domain.prediction import predict
from services.classification.domain.recipe import Recipe
from services.classification.domain.training import Callbacks, start_training, train
from services.classification.domain.weights import Shape
from services.classification.drawing import COPIES_OF_FEW
from services.classification.planning import DISTIL
from shared.compute.precision import choose_precision
from tests.benchmarks.augmentation_choice import (
    SIZE_PX,
    Variant,
    labelled,
    read,
    with_copies,
)
from tests.benchmarks.classifier import Arrays

ARMS: tuple[Arm, ...] = (
    "none",
    "traditional",
    "oversample",
    "class_weights",
    "distil",
    "pseudo_label",
)
PSEUDO_CONFIDENCE = 0.9

_RECIPE = Recipe(
    architecture="small_cnn",
    steps=800,
    evaluate_every=40,
    patience=None,
    batch_size=64,
    learning_rate=1e-3,
    weight_decay=0.05,
    balance=True,
    synthetic_share=0.25,
    seed=0,
)


def _images(arrays: Arrays) -> LabelledImages:
    pixels, labels = arrays
    return LabelledImages(pixels, labels, np.zeros(len(labels), dtype=np.bool_))


class Seed:
    """One seed's real images and the classifiers of its arms."""

    def __init__(self, archive: str, seed: int, per_category: int, copies: int) -> None:
        known, val = read(archive, "train"), read(archive, "val")
        self._categories = CATEGORIES[: len(known)]
        self._recipe = replace(_RECIPE, seed=seed)
        random = np.random.default_rng(seed)
        order = {name: random.permutation(len(images)) for name, images in known.items()}
        drawn = {name: [known[name][i] for i in order[name][:per_category]] for name in known}
        left = [known[name][i] for name in known for i in order[name][per_category:]]
        self._unlabelled = np.stack(left)
        self._real = _images(labelled(drawn))
        variant = Variant("usual", usual_operations())
        self._augmented = _images(with_copies(labelled(drawn), variant, seed, copies=copies))
        self.val = _images(labelled({name: each[:per_category] for name, each in val.items()}))
        self._teacher = self._predicts(self._fit(self._augmented, self._recipe))

    def arm(self, arm: Arm) -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
        """The trained classifier of an arm, as a function of images."""
        recipe, images = self._recipe, self._augmented
        if arm in ("none", "oversample", "class_weights"):
            images = self._real
        if arm == "class_weights":
            recipe = replace(recipe, balance=False, class_weights=True)
        if arm == "distil":
            recipe = replace(recipe, distil=DISTIL)
            images = teaching.softened(images, self._teacher)
        if arm == "pseudo_label":
            images = teaching.pseudo_labelled(
                images, self._unlabelled, self._teacher, PSEUDO_CONFIDENCE
            )
        if arm == "traditional":
            return self._teacher
        return self._predicts(self._fit(images, recipe))

    def _fit(self, images: LabelledImages, recipe: Recipe) -> nn.Module:
        precision = choose_precision(device="cpu", threads=1)
        shape = Shape("small_cnn", self._categories, SIZE_PX, 1)
        state = start_training(shape, recipe, device="cpu")
        quiet = Callbacks(on_step=lambda _: None, on_evaluation=lambda *_: None)
        train(state, images, self.val, recipe, precision, quiet)
        return state.network

    def _predicts(self, network: nn.Module) -> teaching.Teacher:
        return partial(predict, network, device="cpu")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--per-category", type=int, default=20)
    parser.add_argument("--copies", type=int, default=COPIES_OF_FEW)
    parser.add_argument("--split", choices=("val", "test"), default="val")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    judge = labelled(read(options.archive, options.split))
    names = CATEGORIES[: len(np.unique(judge[1]))]
    test = grouped_by_patient(judge[1], [None] * len(judge[1]), names)
    said: dict[Arm, list[NDArray[np.float32]]] = {arm: [] for arm in ARMS}
    temperatures: dict[Arm, list[float | None]] = {arm: [] for arm in ARMS}
    for number in range(options.seeds):
        seed = Seed(options.archive, number, options.per_category, options.copies)
        for arm in ARMS:
            predicts = seed.arm(arm)
            said[arm].append(predicts(judge[0]))
            temperatures[arm].append(fit_temperature(predicts(seed.val.pixels), seed.val.labels))
            accuracy = 100 * float((said[arm][-1].argmax(axis=1) == judge[1]).mean())
            print(f"seed {number}  {arm:14} {accuracy:.2f}", flush=True)
    rows, compared = _table(test, said, temperatures, options.seeds)
    _show(test, rows, compared, options.seeds)
    if options.json is not None:
        whole = {
            "arms": [row.model_dump() for row in rows],
            "comparisons": [one.model_dump() for one in compared],
        }
        options.json.write_text(json.dumps(whole, indent=1))


def _table(
    test: TestSet,
    said: dict[Arm, list[NDArray[np.float32]]],
    temperatures: dict[Arm, list[float | None]],
    seeds: int,
) -> tuple[list[ArmResult], list[Comparison]]:
    drawn = resampling.draw_resamples(test, n_seeds=seeds, random_seed=0)
    rows, measured = [], []
    for arm, each in said.items():
        probabilities = np.stack(each)
        measured.append(comparison.measure(arm, test, probabilities.argmax(axis=2), drawn))
        graded = comparison.grade(test, probabilities, temperatures[arm], drawn)
        images = comparison.ArmImages(train=0)
        rows.append(comparison.arm_result(measured[-1], test, images, graded))
    (compared,) = comparison.corrected(
        [comparison.compare_all(measured, test, comparison.pairs_of(said))]
    )
    return rows, compared


def _show(test: TestSet, rows: list[ArmResult], compared: list[Comparison], seeds: int) -> None:
    print(wording.summary(rows, compared, n_test=len(test.labels), n_seeds=seeds, phantom=False))
    for row in rows:
        accuracy, auc, calibration = row.accuracy, row.auc, row.calibration
        assert auc is not None
        assert calibration is not None
        assert calibration.error_tempered is not None
        print(
            f"{row.arm:14} {100 * accuracy.mean:.1f} ± {100 * (accuracy.sd or 0):.1f} "
            f"[{100 * accuracy.ci[0]:.1f}, {100 * accuracy.ci[1]:.1f}]  F1 {100 * row.f1.mean:.1f}"
            f"  AUC {auc.mean:.3f}  ECE {100 * calibration.error.mean:.1f}"
            f" -> {100 * calibration.error_tempered.mean:.1f}"
        )
    for one in compared:
        low, high = one.ci
        print(
            f"{one.a} - {one.b}: {100 * one.difference:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]"
            f"  p {one.p:.4f}  Holm {one.p_holm:.4f}"
        )


if __name__ == "__main__":
    main()
