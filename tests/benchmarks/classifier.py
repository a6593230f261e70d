"""The classifier that benchmarks judge by: our small CNN, whatever it learns from."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import nn

from lesiongan.contracts.categories import Category
from services.classification.domain.images import LabelledImages
from services.classification.domain.prediction import predict
from services.classification.domain.recipe import Recipe
from services.classification.domain.training import Callbacks, start_training, train
from services.classification.domain.weights import Shape
from shared.compute.precision import choose_precision

#: uint8 [N, 1, H, W], and places in the categories, [N].
Arrays = tuple[NDArray[np.uint8], NDArray[np.int64]]


def trained(
    train_on: Arrays,
    categories: Sequence[Category],
    *,
    steps: int,
    seed: int,
    batch_size: int = 32,
    threads: int | None = None,
) -> nn.Module:
    """The network after ``steps`` of balanced batches; nothing is selected on the way."""
    recipe = Recipe(
        architecture="small_cnn",
        steps=steps,
        evaluate_every=steps,
        patience=None,
        batch_size=batch_size,
        learning_rate=1e-3,
        weight_decay=0.05,
        balance=True,
        synthetic_share=None,
        seed=seed,
    )
    pixels, labels = train_on
    images = LabelledImages(pixels, labels, np.zeros(len(labels), dtype=np.bool_))
    shape = Shape("small_cnn", tuple(categories), pixels.shape[-1], 1)
    state = start_training(shape, recipe, device="cpu")
    quiet = Callbacks(on_step=lambda _: None, on_evaluation=lambda *_: None)
    precision = choose_precision(device="cpu", threads=threads)
    train(state, images, None, recipe, precision, quiet)
    return state.network


def accuracy(network: nn.Module, judge: Arrays) -> float:
    """Percent right of ``judge``."""
    pixels, labels = judge
    return 100.0 * float((predict(network, pixels, device="cpu").argmax(axis=1) == labels).mean())
