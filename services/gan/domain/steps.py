"""One critic step and one generator step (Gulrajani et al. 2017, Algorithm 1).

The ``*_update`` functions compute on the device alone: they read nothing back and take everything
that is drawn from their inputs (``step_inputs.py``), so that a CUDA graph may replay them.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from services.gan.domain.batches import to_unit
from services.gan.domain.diff_augment import augment
from services.gan.domain.gradient_penalty import gradient_norms, gradient_penalty, interpolate
from services.gan.domain.state import TrainingState
from services.gan.domain.step_inputs import CriticInputs, GeneratorInputs

#: What the consistency term changes: small shifts, as Zhao et al. (bCR) found best.
_CONSISTENT_UNDER = ("translation",)


def _total_norm(parameters: Iterable[nn.Parameter]) -> Tensor:
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    return nn.utils.get_total_norm(gradients)


def _consistency(
    state: TrainingState, real: Tensor, fake: Tensor, scores: Tensor, inputs: CriticInputs
) -> Tensor:
    """``E[(D(x) - D(T(x)))^2]`` over real images and over made ones, added.

    Zhao et al., "Improved consistency regularization for GANs", AAAI 2021 (bCR).
    """
    moved = [
        augment(images, draws, _CONSISTENT_UNDER)
        for images, draws in ((real, inputs.real_moves), (fake, inputs.fake_moves))
    ]
    again: Tensor = state.critic(torch.cat(moved), inputs.labels.repeat(2))
    return 2.0 * (scores - again).square().mean()


def critic_update(
    state: TrainingState, images: Tensor, inputs: CriticInputs, dtype: torch.dtype
) -> Tensor:
    """One update of the critic on the training ``images``, uint8 [N, C, S, S].

    Returns critic loss, gradient penalty, Wasserstein estimate and mean norm of the critic's
    gradient at the interpolates [4], on the device: reading them would stall it.
    """
    training, labels = state.training, inputs.labels
    count, seen = training.batch_size, training.diff_augment
    with torch.no_grad():
        real = to_unit(images[inputs.rows], dtype)
        fake = state.generator(inputs.latents, inputs.grain, labels, dtype)
        if seen:
            real = augment(real, inputs.real_draws, seen)
            fake = augment(fake, inputs.fake_draws, seen)
    scores = state.critic(torch.cat((real, fake)), labels.repeat(2))
    wasserstein = scores[:count].mean() - scores[count:].mean()
    middle = interpolate(real, fake, inputs.epsilon)
    norms = gradient_norms(lambda between: state.critic(between, labels), middle)
    penalty = gradient_penalty(norms)
    loss = training.gradient_penalty * penalty - wasserstein
    if training.consistency:
        uneven = _consistency(state, real, fake, scores, inputs)
        loss = loss + training.consistency * uneven

    state.critic_optimizer.zero_grad(set_to_none=True)
    loss.backward()
    state.critic_optimizer.step()
    return torch.stack((loss, penalty, wasserstein, norms.mean())).detach()


def generator_update(state: TrainingState, inputs: GeneratorInputs, dtype: torch.dtype) -> Tensor:
    """The update of the generator that ends a step; that of its average is the caller's.

    Returns generator loss and the norm of its gradient in the weights [2], on the device.
    """
    seen = state.training.diff_augment
    state.critic.requires_grad_(
        requires_grad=False
    )  # its weights' gradients would be computed for nothing
    fake = state.generator(inputs.latents, inputs.grain, inputs.labels, dtype)
    if seen:
        fake = augment(fake, inputs.draws, seen)
    loss = -state.critic(fake, inputs.labels).mean()
    state.generator_optimizer.zero_grad(set_to_none=True)
    loss.backward()
    state.generator_optimizer.step()
    state.critic.requires_grad_()
    return torch.stack((loss.detach(), _total_norm(state.generator.parameters())))
