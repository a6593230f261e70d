"""One critic step and one generator step (Gulrajani et al. 2017, Algorithm 1)."""

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from services.gan.domain.batches import TrainingImages, balanced_labels, real_rows, to_unit
from services.gan.domain.ema import update_average
from services.gan.domain.gradient_penalty import gradient_norms, gradient_penalty, interpolate
from services.gan.domain.noise import Purpose, step_noise, uniform
from services.gan.domain.state import TrainingState
from shared.compute.precision import Precision


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


def _total_norm(parameters: Iterable[nn.Parameter]) -> Tensor:
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    return nn.utils.get_total_norm(gradients)


def critic_step(
    state: TrainingState, data: TrainingImages, precision: Precision, *, turn: int
) -> Tensor:
    """The ``turn``-th critic update of the current step.

    Returns critic loss, gradient penalty, Wasserstein estimate and mean norm of the critic's
    gradient at the interpolates [4], on the device: reading them would stall it.
    """
    training, step, seed = state.training, state.step, state.training.seed
    count, categories = training.batch_size, len(state.architecture.categories)
    chosen = balanced_labels(seed, Purpose.REAL_IMAGES, step, turn, count, categories)
    rows = real_rows(seed, step, turn, chosen, data)
    latents, grain = _noise(state, Purpose.CRITIC_NOISE, turn, precision)
    epsilon = uniform(seed, Purpose.INTERPOLATION, step, turn, count).astype(np.float32)
    labels = _send(chosen, precision)

    real = to_unit(data.images[_send(rows, precision)], precision.dtype)
    with torch.no_grad():
        fake = state.generator(latents, grain, labels, precision.dtype)
    scores = state.critic(torch.cat((real, fake)), labels.repeat(2))
    wasserstein = scores[:count].mean() - scores[count:].mean()
    middle = interpolate(real, fake, _send(epsilon, precision))
    norms = gradient_norms(lambda images: state.critic(images, labels), middle)
    penalty = gradient_penalty(norms)
    loss = training.gradient_penalty * penalty - wasserstein

    state.critic_optimizer.zero_grad(set_to_none=True)
    loss.backward()
    state.critic_optimizer.step()
    return torch.stack((loss, penalty, wasserstein, norms.mean())).detach()


def generator_step(state: TrainingState, precision: Precision) -> Tensor:
    """The generator update that ends the current step, and that of the averaged weights.

    Returns generator loss and the norm of its gradient in the weights [2], on the device.
    """
    training, step, seed = state.training, state.step, state.training.seed
    count, categories = training.batch_size, len(state.architecture.categories)
    chosen = balanced_labels(seed, Purpose.GENERATOR_LABELS, step, 0, count, categories)
    latents, grain = _noise(state, Purpose.GENERATOR_NOISE, 0, precision)
    labels = _send(chosen, precision)

    state.critic.requires_grad_(
        requires_grad=False
    )  # its weights' gradients would be computed for nothing
    fake = state.generator(latents, grain, labels, precision.dtype)
    loss = -state.critic(fake, labels).mean()
    state.generator_optimizer.zero_grad(set_to_none=True)
    loss.backward()
    state.generator_optimizer.step()
    state.critic.requires_grad_()

    update_average(state.average, state.generator, decay=training.ema_decay, step=step)
    norm = _total_norm(state.generator.parameters())
    return torch.stack((loss.detach(), norm))
