"""Which operations and which interpolation help a classifier: what the defaults rest on.

    python -m tests.benchmarks.augmentation_choice ARCHIVE.zip

ARCHIVE is in the *folders* layout with a complete split. A small CNN is trained on a few images of
each category and their three augmented copies, and judged on ``val`` and on training images that it
has not seen. ``test`` is never opened.
"""

import argparse
import csv
import io
import statistics
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from lesiongan.contracts.augmentation import OPERATIONS, Interpolation, Operation, usual_operations
from lesiongan.contracts.categories import CATEGORIES, Category
from services.augmentation.domain.augment import augment
from services.augmentation.domain.series import draw_series, generator
from services.preprocessing.domain import pipeline
from services.preprocessing.domain.png import decode_grey
from tests.benchmarks.classifier import Arrays, accuracy, trained

SIZE_PX = 32
PER_CATEGORY = 10
#: Training images from this one on are never trained on, so that they can judge.
LEFT_OVER = 200
COPIES = 3
STEPS = 500

OPTIONS = pipeline.PreprocessOptions(crop="slice", size=SIZE_PX)


@dataclass(frozen=True)
class Variant:
    """One way to augment; no operations leave the originals alone."""

    name: str
    operations: Sequence[Operation]
    interpolation: Interpolation = "nearest"


def variants() -> list[Variant]:
    usual = usual_operations()
    others = [operation for operation in OPERATIONS if operation not in usual]
    return [
        Variant("none", []),
        *(Variant(f"default, {how}", usual, how) for how in ("nearest", "linear", "cubic")),
        *(Variant(f"default and {name}", [*usual, name]) for name in others),
        *(Variant(f"default without {name}", [o for o in usual if o != name]) for name in usual),
        Variant("all but flip", [name for name in OPERATIONS if name != "flip"]),
    ]


def read(path: str, split: str) -> dict[Category, list[NDArray[np.uint8]]]:
    """Images [1, 32, 32] of a split by category, in the archive's order."""
    found: dict[Category, list[NDArray[np.uint8]]] = {}
    with zipfile.ZipFile(path) as archive:
        manifest = next(name for name in archive.namelist() if name.endswith("manifest.csv"))
        folder = manifest.removesuffix("manifest.csv")
        for row in csv.DictReader(io.TextIOWrapper(archive.open(manifest))):
            if row["split"] != split or row["category"] not in CATEGORIES:
                continue
            values = decode_grey(archive.read(folder + row["file"])).values
            image = pipeline.preprocess_slice(values, pipeline.SliceMetadata(), OPTIONS).image
            found.setdefault(cast("Category", row["category"]), []).append(image[None])
    return found


def labelled(images: dict[Category, list[NDArray[np.uint8]]]) -> Arrays:
    counts = [len(images[category]) for category in images]
    pixels = np.stack([image for category in images for image in images[category]])
    return pixels, np.repeat(np.arange(len(images)), counts).astype(np.int64)


def with_copies(arrays: Arrays, variant: Variant, seed: int, *, copies: int = COPIES) -> Arrays:
    pixels, labels = arrays
    if not variant.operations:
        return arrays
    made = [pixels]
    for copy in range(1, copies + 1):
        each = []
        for index, image in enumerate(pixels):
            random = generator(seed, index, copy)
            series = draw_series(random, variant.operations)
            each.append(augment(image, series, random, interpolation=variant.interpolation))
        made.append(np.stack(each))
    return np.concatenate(made), np.tile(labels, copies + 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive")
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    known = read(options.archive, "train")
    val = labelled(read(options.archive, "val"))
    left_over = labelled({name: images[LEFT_OVER:] for name, images in known.items()})
    print(f"{'variant':28} {'val':>12} {'left over':>12}   mean ± sd of {options.seeds} seeds")
    for variant in variants():
        rows = []
        for seed in range(options.seeds):
            order = np.random.default_rng(seed).permutation(LEFT_OVER)[:PER_CATEGORY]
            real = labelled({name: [images[i] for i in order] for name, images in known.items()})
            few = with_copies(real, variant, seed)
            network = trained(few, CATEGORIES[: len(known)], steps=STEPS, seed=seed)
            rows.append([accuracy(network, judge) for judge in (val, left_over)])
        cells = [
            f"{statistics.mean(c):6.2f} ± {statistics.stdev(c):3.1f}"
            for c in zip(*rows, strict=True)
        ]
        print(f"{variant.name:28} {cells[0]:>12} {cells[1]:>12}", flush=True)


if __name__ == "__main__":
    main()
