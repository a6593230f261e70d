"""Trainings small enough to run in a moment."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.classification.domain.images import LabelledImages
from services.classification.domain.recipe import Recipe
from services.classification.domain.training import (
    Callbacks,
    Evaluation,
    TrainingState,
    train,
)
from services.classification.domain.weights import Shape
from shared.compute.precision import Precision

SHAPE = Shape("small_cnn", ("bone", "liver"), image_size=32, channels=1)
PRECISION = Precision(device="cpu", dtype_name="float32", threads=1)

_RECIPE = Recipe(
    architecture="small_cnn",
    steps=6,
    evaluate_every=2,
    patience=None,
    batch_size=8,
    learning_rate=1e-3,
    weight_decay=0.05,
    balance=True,
    synthetic_share=None,
    seed=0,
)


def recipe(**changes: Any) -> Recipe:
    """Six steps of eight images, evaluated at each second one, with ``changes``."""
    return replace(_RECIPE, **changes)


def dark_and_bright(seed: int = 0, *, each: int = 8) -> LabelledImages:
    """``each`` dark images of category 0, then as many bright ones of category 1."""
    labels = np.repeat([0, 1], each)
    noise = np.random.default_rng(seed).integers(0, 100, (2 * each, 1, 32, 32))
    pixels = (noise + 120 * labels[:, None, None, None]).astype(np.uint8)
    return LabelledImages(pixels, labels, np.zeros(len(labels), dtype=np.bool_))


def misleading(images: LabelledImages) -> LabelledImages:
    """The same images with the other category: the more is learned, the worse it looks here."""
    return replace(images, labels=1 - images.labels)


def labelled(labels: list[int], *, synthetic: list[int] | None = None) -> LabelledImages:
    """Black images of one pixel: real ones of ``labels``, then ``synthetic`` ones."""
    made = synthetic or []
    flags: NDArray[np.bool_] = np.repeat([False, True], [len(labels), len(made)])
    pixels = np.zeros((len(flags), 1, 1, 1), dtype=np.uint8)
    return LabelledImages(pixels, np.asarray([*labels, *made], dtype=np.int64), flags)


def run(
    state: TrainingState,
    with_recipe: Recipe,
    images: LabelledImages,
    held_out: LabelledImages | None = None,
    precision: Precision = PRECISION,
) -> list[Evaluation | None]:
    """Train to the end; what each evaluation said."""
    said: list[Evaluation | None] = []
    callbacks = Callbacks(
        on_step=lambda _: None, on_evaluation=lambda _, __, evaluation: said.append(evaluation)
    )
    train(state, images, held_out, with_recipe, precision, callbacks)
    return said
