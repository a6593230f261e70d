"""All that a training step draws: its inputs, in tensors whose shapes never change.

Each is a function of (seed, step, turn). So a step is a function of the state and of these alone,
which may lie in the same memory each time, as a CUDA graph wants them.
"""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from services.gan.domain.batches import TrainingImages, batch_labels, real_rows
from services.gan.domain.diff_augment import augment_draws
from services.gan.domain.noise import Noise, Purpose, step_noise, uniform
from services.gan.domain.state import TrainingState


class CriticInputs(NamedTuple):
    """Of a batch of N: ``labels`` [N] and the ``rows`` [N] of real images, int64; the rest float32.

    ``latents`` [N, L] and ``grain`` [N, 1, S, S] become made images, ``epsilon`` [N] says where
    between them and the real ones the gradient is looked at. ``*_draws`` [N, DRAWS] augment both,
    ``*_moves`` those of the consistency term; they are [0] where that is off.
    """

    labels: Tensor
    rows: Tensor
    latents: Tensor
    grain: Tensor
    epsilon: Tensor
    real_draws: Tensor
    fake_draws: Tensor
    real_moves: Tensor
    fake_moves: Tensor


class GeneratorInputs(NamedTuple):
    """As those of the critic, without real images."""

    labels: Tensor
    latents: Tensor
    grain: Tensor
    draws: Tensor


def critic_inputs(state: TrainingState, data: TrainingImages, turn: int) -> CriticInputs:
    """Of the ``turn``-th critic update of the current step, in the host's memory."""
    training, step, seed = state.training, state.step, state.training.seed
    categories = len(state.architecture.categories)
    labels = batch_labels(training, Purpose.REAL_IMAGES, step, turn, categories)
    noise = _noise(state, Purpose.CRITIC_NOISE, turn)
    epsilon = uniform(seed, Purpose.INTERPOLATION, step, turn, training.batch_size)
    seen, consistent = bool(training.diff_augment), bool(training.consistency)
    return CriticInputs(
        labels=torch.from_numpy(labels),
        rows=torch.from_numpy(real_rows(seed, step, turn, labels, data)),
        latents=torch.from_numpy(noise.latents),
        grain=torch.from_numpy(noise.grain),
        epsilon=torch.from_numpy(epsilon.astype(np.float32)),
        real_draws=_draws(state, Purpose.REAL_AUGMENTATION, turn, wanted=seen),
        fake_draws=_draws(state, Purpose.FAKE_AUGMENTATION, turn, wanted=seen),
        real_moves=_draws(state, Purpose.REAL_CONSISTENCY, turn, wanted=consistent),
        fake_moves=_draws(state, Purpose.FAKE_CONSISTENCY, turn, wanted=consistent),
    )


def generator_inputs(state: TrainingState) -> GeneratorInputs:
    """Of the generator update that ends the current step, in the host's memory."""
    training = state.training
    categories = len(state.architecture.categories)
    labels: NDArray[np.int64] = batch_labels(
        training, Purpose.GENERATOR_LABELS, state.step, 0, categories
    )
    noise = _noise(state, Purpose.GENERATOR_NOISE, 0)
    return GeneratorInputs(
        labels=torch.from_numpy(labels),
        latents=torch.from_numpy(noise.latents),
        grain=torch.from_numpy(noise.grain),
        draws=_draws(state, Purpose.GENERATOR_AUGMENTATION, 0, wanted=bool(training.diff_augment)),
    )


def _noise(state: TrainingState, purpose: Purpose, turn: int) -> Noise:
    about, training = state.architecture, state.training
    sizes = (training.batch_size, about.latent_size, about.image_size)
    return step_noise(training.seed, purpose, state.step, turn, *sizes)


def _draws(state: TrainingState, purpose: Purpose, turn: int, *, wanted: bool) -> Tensor:
    """Those of a batch, [N, DRAWS]; [0] where nobody asks."""
    if not wanted:
        return torch.empty(0)
    training = state.training
    draws = augment_draws(training.seed, purpose, state.step, turn, training.batch_size)
    return torch.from_numpy(draws)
