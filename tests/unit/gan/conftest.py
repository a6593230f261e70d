"""A network and a data set small enough to train in a moment."""

import numpy as np
import pytest

from services.gan.domain.batches import TrainingImages, load_training_images
from services.gan.domain.config import Architecture, Training
from shared.compute.precision import Precision


@pytest.fixture
def architecture() -> Architecture:
    return Architecture(
        image_size=32, categories=("bone", "liver", "lung"), width=8, max_width=16, latent_size=8
    )


@pytest.fixture
def training() -> Training:
    return Training(
        steps=6, batch_size=6, n_critic=2, learning_rate=1e-3, checkpoint_every=3, metrics_every=2
    )


@pytest.fixture
def precision() -> Precision:
    return Precision(device="cpu", dtype_name="float32", threads=1)


@pytest.fixture
def data(architecture: Architecture) -> TrainingImages:
    """Uneven categories: 5, 9 and 2 images."""
    random = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [5, 9, 2]).astype(np.int64)
    images = random.integers(0, 256, (len(labels), 1, 32, 32), dtype=np.uint8)
    return load_training_images(images, labels, architecture)
