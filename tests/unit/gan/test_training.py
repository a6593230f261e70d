from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from services.gan.domain.batches import TrainingImages, load_training_images, real_rows
from services.gan.domain.checkpoint import load_checkpoint, save_checkpoint
from services.gan.domain.config import Architecture, Training
from services.gan.domain.state import TrainingState, start_training
from services.gan.domain.training import Callbacks, Metrics, train
from shared.compute.precision import Precision
from shared.errors import BadInput


def _stop_after(steps: int) -> Callbacks:
    """Stops before step ``steps + 1``."""
    asked = iter(range(steps + 1))
    return Callbacks(should_stop=lambda: next(asked) == steps)


@pytest.mark.parametrize("dtype_name", ["float32", "bfloat16"])
@pytest.mark.parametrize("stop_at", [0, 1, 4])
def test_resumed_training_ends_with_identical_weights(
    architecture: Architecture,
    training: Training,
    data: TrainingImages,
    dtype_name: str,
    stop_at: int,
) -> None:
    precision = Precision(device="cpu", dtype_name=dtype_name, threads=1)  # type: ignore[arg-type]
    whole = start_training(architecture, training)
    assert train(whole, data, precision=precision)

    part = start_training(architecture, training)
    assert not train(part, data, precision=precision, callbacks=_stop_after(stop_at))
    assert part.step == stop_at
    resumed = load_checkpoint(save_checkpoint(part), architecture, training)
    assert resumed.step == stop_at
    assert train(resumed, data, precision=precision)

    assert save_checkpoint(resumed) == save_checkpoint(whole)  # EMA and Adam's moments included


def test_training_changes_all_weights_and_the_seed_matters(
    architecture: Architecture, training: Training, data: TrainingImages, precision: Precision
) -> None:
    state, before = (start_training(architecture, training) for _ in range(2))
    train(state, data, precision=precision)
    for network, old in (
        (state.generator, before.generator),
        (state.critic, before.critic),
        (state.average, before.average),
    ):
        for (name, new), was in zip(network.named_parameters(), old.parameters(), strict=True):
            assert not torch.equal(new, was), name
    other = start_training(architecture, replace(training, seed=1))
    train(other, data, precision=precision)
    assert not torch.equal(other.critic.last.weight, state.critic.last.weight)


def test_callbacks_come_when_due(
    architecture: Architecture, training: Training, data: TrainingImages, precision: Precision
) -> None:
    metrics: list[Metrics] = []
    checkpoints: list[int] = []
    previews: list[tuple[int, NDArray[np.uint8]]] = []

    def on_checkpoint(state: TrainingState) -> None:
        checkpoints.append(state.step)

    def on_preview(step: int, grid: NDArray[np.uint8]) -> None:
        previews.append((step, grid))

    callbacks = Callbacks(
        on_metrics=metrics.append, on_checkpoint=on_checkpoint, on_preview=on_preview
    )
    state = start_training(architecture, replace(training, steps=5))
    assert train(state, data, precision=precision, callbacks=callbacks)
    assert [m.step for m in metrics] == [2, 4, 5]
    assert checkpoints == [3, 5]
    assert [step for step, _ in previews] == [5]
    assert previews[0][1].dtype == np.uint8
    first = metrics[0]
    expected = training.gradient_penalty * first.gradient_penalty - first.wasserstein
    assert first.critic_loss == pytest.approx(expected, rel=1e-4)
    assert first.images_per_second > 0


def test_stopping_hands_over_a_checkpoint(
    architecture: Architecture, training: Training, data: TrainingImages, precision: Precision
) -> None:
    steps: list[int] = []
    callbacks = replace(_stop_after(2), on_checkpoint=lambda state: steps.append(state.step))
    state = start_training(architecture, training)
    assert not train(state, data, precision=precision, callbacks=callbacks)
    assert steps == [2]


def test_training_separates_dark_from_bright_categories(precision: Precision) -> None:
    """A critic and generator that learn anything learn this within a few steps."""
    architecture = Architecture(
        image_size=32, categories=("dark", "bright"), width=4, max_width=16, latent_size=4
    )
    training = Training(steps=60, batch_size=8, n_critic=2, learning_rate=2e-3, ema_decay=0.8)
    labels = np.arange(40) % 2
    images = np.where(labels, 200, 50).astype(np.uint8)[:, None, None, None]
    data = load_training_images(np.tile(images, (1, 1, 32, 32)), labels, architecture)
    state = start_training(architecture, training)
    grids: list[NDArray[np.uint8]] = []
    callbacks = Callbacks(on_preview=lambda _, grid: grids.append(grid))
    assert train(state, data, precision=precision, callbacks=callbacks)
    half = grids[-1].shape[1] // 2
    assert grids[-1][:, half:].mean() - grids[-1][:, :half].mean() > 80


def test_real_images_are_of_the_category_that_was_asked(data: TrainingImages) -> None:
    labels = np.tile([0, 1, 2], 30)
    rows = real_rows(0, 5, 1, labels, data)
    for row, label in zip(rows, labels, strict=True):
        assert row in data.members[label]
    assert set(rows[labels == 1]) == set(data.members[1])


def test_training_images_are_checked(architecture: Architecture) -> None:
    images = np.zeros((3, 1, 32, 32), dtype=np.uint8)
    with pytest.raises(BadInput, match="no training images of category lung"):
        load_training_images(images, np.array([0, 1, 0]), architecture)
    with pytest.raises(BadInput, match="1x32x32"):
        load_training_images(images[:, :, :16], np.array([0, 1, 2]), architecture)
    with pytest.raises(BadInput, match="1x32x32"):
        load_training_images(images.astype(np.int16), np.array([0, 1, 2]), architecture)
    with pytest.raises(BadInput, match="labels"):
        load_training_images(images, np.array([0, 1]), architecture)
    with pytest.raises(BadInput, match="labels"):
        load_training_images(images, np.array([0, 1, 3]), architecture)
