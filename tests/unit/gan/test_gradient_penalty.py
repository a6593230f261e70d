import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from services.gan.domain.config import Architecture
from services.gan.domain.critic import Critic
from services.gan.domain.gradient_penalty import gradient_norms, gradient_penalty, interpolate
from services.gan.domain.layers import initialise


@given(scale=st.floats(0.0, 5.0))
def test_of_a_linear_critic_is_its_analytic_value(scale: float) -> None:
    """D(x) = <w, x> has the gradient w everywhere: the penalty is (||w|| - 1)^2."""
    weight = torch.full((1, 4, 4), scale, dtype=torch.float64)

    def critic(images: Tensor) -> Tensor:
        return (images * weight).sum(dim=(1, 2, 3))

    images = torch.rand(5, 1, 4, 4, dtype=torch.float64)
    penalty = gradient_penalty(gradient_norms(critic, images))
    assert penalty.item() == pytest.approx((4 * scale - 1) ** 2, rel=1e-5, abs=1e-6)


def test_pulls_the_weights_of_a_linear_critic_as_calculus_says() -> None:
    weight = torch.full((1, 2, 2), 1.5, requires_grad=True)
    norms = gradient_norms(
        lambda images: (images * weight).sum(dim=(1, 2, 3)), torch.rand(3, 1, 2, 2)
    )
    gradient_penalty(norms).backward()  # type: ignore[no-untyped-call]
    # d/dw (|w| - 1)^2 = 2 (|w| - 1) w / |w|, with |w| = 3
    assert weight.grad is not None
    torch.testing.assert_close(weight.grad, torch.full((1, 2, 2), 2 * (3 - 1) * 1.5 / 3))


def test_is_of_each_image_by_itself() -> None:
    """A quadratic critic has the gradient x: images of norm 2 and 4 give (1 + 9) / 2."""
    images = torch.tensor([[[[2.0]]], [[[4.0]]]])
    norms = gradient_norms(lambda x: x.square().sum(dim=(1, 2, 3)) / 2, images)
    assert norms.tolist() == [2.0, 4.0]
    assert gradient_penalty(norms).item() == pytest.approx(5.0)


def test_interpolates_between_fake_and_real() -> None:
    real, fake = torch.ones(3, 1, 2, 2), torch.zeros(3, 1, 2, 2)
    middle = interpolate(real, fake, torch.tensor([0.0, 0.25, 1.0]))
    assert middle[:, 0, 0, 0].tolist() == [0.0, 0.25, 1.0]


def test_gradient_of_the_critic_is_that_of_finite_differences() -> None:
    architecture = Architecture(image_size=32, categories=("a", "b"), width=4, max_width=8)
    critic = Critic(architecture)
    initialise(critic, torch.Generator().manual_seed(0))
    image = torch.randn(1, 1, 32, 32, generator=torch.Generator().manual_seed(1))
    labels = torch.tensor([1])
    norm = gradient_norms(lambda x: critic(x, labels), image).item()
    at = image.clone().requires_grad_(True)
    critic(at, labels).sum().backward()
    assert at.grad is not None
    direction = at.grad / at.grad.norm()
    step = 1e-2
    with torch.no_grad():
        rise = critic(image + step * direction, labels) - critic(image - step * direction, labels)
    assert math.isclose(rise.item() / (2 * step), norm, rel_tol=0.02)
