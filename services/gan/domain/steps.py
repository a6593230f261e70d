"""One critic step and one generator step (Gulrajani et al. 2017, Algorithm 1)."""

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from services.gan.domain.batches import TrainingImages, batch_labels, real_rows, to_unit
from services.gan.domain.diff_augment import augment, augment_draws
from services.gan.domain.ema import update_average
from services.gan.domain.gradient_penalty import gradient_norms, gradient_penalty, interpolate
from services.gan.domain.noise import Purpose, step_noise, uniform
from services.gan.domain.state import TrainingState
from shared.compute.precision import Precision

#: What the consistency term changes: small shifts, as Zhao et al. (bCR) found best.
_CONSISTENT_UNDER = ("translation",)


def _send(array: NDArray[np.generic], precision: Precision) -> Tensor:
    return torch.from_numpy(array).to(precision.device, non_blocking=True)


def _noise(
    state: TrainingState, purpose: Purpose, turn: int, precision: Precision
) -> tuple[Tensor, Tensor]:
    architecture, training = state.architecture, state.training
    noise = step_noise(
        training.seed,
        purpose,
        state.step,
        turn,
        training.batch_size,
        architecture.latent_size,
        architecture.image_size,
    )
    return _send(noise.latents, precision), _send(noise.grain, precision)


def _changed(
    state: TrainingState,
    images: Tensor,
    purpose: Purpose,
    turn: int,
    operations: tuple[str, ...],
    precision: Precision,
) -> Tensor:
    """T(x) of a batch, with draws of its own."""
    if not operations:
        return images
    draws = augment_draws(state.training.seed, purpose, state.step, turn, len(images))
    return augment(images, _send(draws, precision), operations)


def _total_norm(parameters: Iterable[nn.Parameter]) -> Tensor:
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    return nn.utils.get_total_norm(gradients)


def _consistency(
    state: TrainingState,
    real: Tensor,
    fake: Tensor,
    labels: Tensor,
    scores: Tensor,
    turn: int,
    precision: Precision,
) -> Tensor:
    """``E[(D(x) - D(T(x)))^2]`` over real images and over made ones, added.

    Zhao et al., "Improved consistency regularization for GANs", AAAI 2021 (bCR).
    """
    moved = [
        _changed(state, images, purpose, turn, _CONSISTENT_UNDER, precision)
        for images, purpose in ((real, Purpose.REAL_CONSISTENCY), (fake, Purpose.FAKE_CONSISTENCY))
    ]
    again: Tensor = state.critic(torch.cat(moved), labels.repeat(2))
    return 2.0 * (scores - again).square().mean()


def critic_step(
    state: TrainingState, data: TrainingImages, precision: Precision, *, turn: int
) -> Tensor:
    """The ``turn``-th critic update of the current step.

    Returns critic loss, gradient penalty, Wasserstein estimate and mean norm of the critic's
    gradient at the interpolates [4], on the device: reading them would stall it.
    """
    training, step, seed = state.training, state.step, state.training.seed
    count, categories = training.batch_size, len(state.architecture.categories)
    chosen = batch_labels(training, Purpose.REAL_IMAGES, step, turn, categories)
    rows = real_rows(seed, step, turn, chosen, data)
    latents, grain = _noise(state, Purpose.CRITIC_NOISE, turn, precision)
    epsilon = uniform(seed, Purpose.INTERPOLATION, step, turn, count).astype(np.float32)
    labels, seen = _send(chosen, precision), training.diff_augment

    with torch.no_grad():
        real = to_unit(data.images[_send(rows, precision)], precision.dtype)
        real = _changed(state, real, Purpose.REAL_AUGMENTATION, turn, seen, precision)
        fake = state.generator(latents, grain, labels, precision.dtype)
        fake = _changed(state, fake, Purpose.FAKE_AUGMENTATION, turn, seen, precision)
    scores = state.critic(torch.cat((real, fake)), labels.repeat(2))
    wasserstein = scores[:count].mean() - scores[count:].mean()
    middle = interpolate(real, fake, _send(epsilon, precision))
    norms = gradient_norms(lambda images: state.critic(images, labels), middle)
    penalty = gradient_penalty(norms)
    loss = training.gradient_penalty * penalty - wasserstein
    if training.consistency:
        uneven = _consistency(state, real, fake, labels, scores, turn, precision)
        loss = loss + training.consistency * uneven

    state.critic_optimizer.zero_grad(set_to_none=True)
    loss.backward()
    state.critic_optimizer.step()
    return torch.stack((loss, penalty, wasserstein, norms.mean())).detach()


def generator_step(state: TrainingState, precision: Precision) -> Tensor:
    """The generator update that ends the current step, and that of the averaged weights.

    Returns generator loss and the norm of its gradient in the weights [2], on the device.
    """
    training, step = state.training, state.step
    categories, seen = len(state.architecture.categories), training.diff_augment
    chosen = batch_labels(training, Purpose.GENERATOR_LABELS, step, 0, categories)
    latents, grain = _noise(state, Purpose.GENERATOR_NOISE, 0, precision)
    labels = _send(chosen, precision)

    state.critic.requires_grad_(
        requires_grad=False
    )  # its weights' gradients would be computed for nothing
    fake = state.generator(latents, grain, labels, precision.dtype)
    fake = _changed(state, fake, Purpose.GENERATOR_AUGMENTATION, 0, seen, precision)
    loss = -state.critic(fake, labels).mean()
    state.generator_optimizer.zero_grad(set_to_none=True)
    loss.backward()
    state.generator_optimizer.step()
    state.critic.requires_grad_()

    update_average(state.average, state.generator, decay=training.ema_decay, step=step)
    norm = _total_norm(state.generator.parameters())
    return torch.stack((loss.detach(), norm))
