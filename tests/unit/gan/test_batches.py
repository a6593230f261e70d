"""Labels and rows of a batch, where some images have no label."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from services.gan.domain.batches import (
    NO_LABEL,
    TrainingImages,
    batch_labels,
    load_training_images,
    real_rows,
)
from services.gan.domain.config import Architecture, Training
from services.gan.domain.noise import Purpose
from services.gan.domain.state import start_training
from services.gan.domain.training import Callbacks, train
from shared.compute.precision import Precision


@pytest.fixture
def some_unlabelled(architecture: Architecture) -> TrainingImages:
    """Five labelled images, then seven without a label."""
    labels = np.array([0, 1, 2, 1, 0, *[NO_LABEL] * 7])
    images = np.arange(len(labels), dtype=np.uint8)[:, None, None, None]
    return load_training_images(np.tile(images, (1, 1, 32, 32)), labels, architecture)


@given(
    count=st.integers(2, 64),
    share=st.floats(0.0, 0.9),
    step=st.integers(0, 9),
    categories=st.integers(1, 8),
)
def test_a_share_of_each_batch_goes_without_labels_the_rest_is_balanced(
    count: int, share: float, step: int, categories: int
) -> None:
    training = Training(batch_size=count, unlabelled_share=share, pretrain_steps=3)
    labels = batch_labels(training, Purpose.REAL_IMAGES, step, 0, categories)
    free = int((labels == NO_LABEL).sum())
    assert len(labels) == count
    assert free == (count if step < 3 else round(share * count))
    counts = np.bincount(labels[labels != NO_LABEL], minlength=categories)
    assert counts.max() - counts.min() <= 1


def test_the_token_stands_for_any_image(some_unlabelled: TrainingImages) -> None:
    labels = np.array([NO_LABEL, 1] * 200)
    rows = real_rows(0, 0, 0, labels, some_unlabelled)
    assert set(rows[labels == NO_LABEL]) == set(range(12))
    assert set(rows[labels == 1]) == {1, 3}


def test_pretraining_leaves_categories_as_the_token(
    architecture: Architecture,
    training: Training,
    some_unlabelled: TrainingImages,
    precision: Precision,
) -> None:
    """Until labels are trained on, each category is what all have in common."""
    state = start_training(architecture, replace(training, pretrain_steps=5, steps=6))
    seen: list[bool] = []

    def look() -> bool:
        images = torch.rand(4, 1, 32, 32)
        scores = state.critic(images, torch.tensor([0, 1, 2, NO_LABEL]))
        alone = state.critic(images, torch.full((4,), NO_LABEL))
        seen.append(torch.equal(scores, alone))
        return False

    train(state, some_unlabelled, precision=precision, callbacks=Callbacks(should_stop=look))
    look()
    assert seen == [True] * 6 + [False]
