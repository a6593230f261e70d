"""The gradient penalty of WGAN-GP.

Gulrajani et al., "Improved training of Wasserstein GANs", NeurIPS 2017, equation 3:
``E[(||grad D(x^)||_2 - 1)^2]`` with ``x^ = e * x + (1 - e) * G(z)`` and ``e`` uniform on [0, 1).
"""

from collections.abc import Callable

import torch
from torch import Tensor

from services.gan.domain.second_order import weights_left_out


def interpolate(real: Tensor, fake: Tensor, epsilon: Tensor) -> Tensor:
    """``e * real + (1 - e) * fake``: images [N, C, H, W], one ``epsilon`` [N] an image."""
    return torch.lerp(fake, real, epsilon.to(real.dtype).view(-1, 1, 1, 1))


def gradient_norms(critic: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """The norms [N] of the critic's gradient at each image [N, C, H, W]; differentiable."""
    images = images.detach().requires_grad_()
    scores = critic(images)
    with weights_left_out():
        (gradient,) = torch.autograd.grad(scores.sum(), images, create_graph=True)
    norms: Tensor = torch.linalg.vector_norm(gradient.flatten(1).float(), dim=1)
    return norms


def gradient_penalty(norms: Tensor) -> Tensor:
    """``E[(norm - 1)^2]`` of the norms [N]; the weight lambda is the caller's."""
    return (norms - 1.0).square().mean()
