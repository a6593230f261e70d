"""Which contrast lets a classifier tell lesions apart: the seed claims that its own does.

    python -m tests.benchmarks.contrast_ablation --lesions 40 --seeds 3

Each contrast is applied to the same phantom slices (16-bit HU; in 8-bit images the contrast is
chosen already), cut alike, and the same small CNN is trained for the same steps on the same
patients. It is judged on ``val``; ``test`` is not opened. Phantoms say nothing about patients: they
show whether a step loses what another one keeps.
"""

import argparse
import statistics
import time
from collections.abc import Sequence
from typing import cast, get_args

import numpy as np

from lesiongan.contracts.categories import CATEGORIES, Split
from lesiongan.contracts.datasets import Contrast
from services.preprocessing.domain import pipeline
from services.preprocessing.domain.hounsfield import encode_hu
from services.preprocessing.domain.phantom.cohort import DEFAULT_SHARES, draw_cohort
from services.preprocessing.domain.phantom.difficulty import Difficulty
from services.preprocessing.domain.phantom.slices import RenderedSlice, SlicePlan, render_slice
from tests.benchmarks.classifier import Arrays, accuracy, trained

Slices = dict[Split, list[tuple[SlicePlan, RenderedSlice]]]


def drawn(lesions: int, difficulty: float) -> Slices:
    """What was planned and what was scanned, by split."""
    hardness = Difficulty(difficulty)
    found: Slices = {"train": [], "val": [], "test": []}
    for patient in draw_cohort(0, lesions, hardness, DEFAULT_SHARES):
        if patient.split == "test":
            continue
        for plan in patient.slices:
            found[patient.split].append((plan, render_slice(plan, hardness)))
    return found


def arrays(
    slices: Sequence[tuple[SlicePlan, RenderedSlice]], options: pipeline.PreprocessOptions
) -> Arrays:
    """One image a lesion, or a slice where slices are shown whole."""
    images, labels = [], []
    for plan, rendered in slices:
        values = encode_hu(rendered.hu)
        marks = rendered.marks if options.crop == "lesion" else rendered.marks[:1]
        for mark in marks:
            known = pipeline.SliceMetadata(
                spacing_mm=plan.study.spacing_mm,
                box_px=mark.measurement.box,
                window_hu=plan.window_hu,
            )
            images.append(pipeline.preprocess_slice(values, known, options).image[None])
            labels.append(CATEGORIES.index(plan.category))
    return np.stack(images), np.asarray(labels, dtype=np.int64)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lesions", type=int, default=40, help="of each category, in all splits")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--crop", choices=("lesion", "slice"), default="slice")
    parser.add_argument("--difficulty", type=float, default=0.5)
    given = parser.parse_args()
    slices = drawn(given.lesions, given.difficulty)
    print(f"{len(slices['train'])} slices to train on, {len(slices['val'])} of val", flush=True)
    for contrast in cast("tuple[Contrast, ...]", get_args(Contrast)):
        options = pipeline.PreprocessOptions(contrast=contrast, crop=given.crop, size=given.size)
        began = time.perf_counter()
        train_on, judge = arrays(slices["train"], options), arrays(slices["val"], options)
        seconds = time.perf_counter() - began
        found = [
            accuracy(trained(train_on, CATEGORIES, steps=given.steps, seed=seed, threads=1), judge)
            for seed in range(given.seeds)
        ]
        spread = statistics.stdev(found) if len(found) > 1 else 0.0
        each = " ".join(f"{one:.1f}" for one in found)
        print(
            f"{contrast:10} {len(judge[1])} judged  {statistics.mean(found):5.1f} ± {spread:.1f} %"
            f"  ({each})  preprocessed in {seconds:.0f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
