"""Our derivatives of convolution and mean against PyTorch's own, and against finite differences."""

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck
from torch.nn import functional

from services.gan.domain.convolution import convolve, downsample


def _double(*shape: int) -> Tensor:
    random = torch.Generator().manual_seed(sum(shape))
    return torch.randn(*shape, dtype=torch.float64, generator=random).requires_grad_(True)


@pytest.mark.parametrize("kernel_px", [1, 3])
def test_convolution_has_the_right_first_derivatives(kernel_px: int) -> None:
    inputs = (_double(2, 2, 4, 4), _double(3, 2, kernel_px, kernel_px), _double(3))
    assert gradcheck(convolve, inputs)


def _penalty_gradients(
    convolution: object, x: Tensor, weight: Tensor, bias: Tensor
) -> list[Tensor]:
    assert callable(convolution)
    y = functional.leaky_relu(convolution(x, weight, bias), 0.2)
    (gradient,) = torch.autograd.grad(y.square().sum(), x, create_graph=True)
    return list(torch.autograd.grad(gradient.square().sum(), (weight, bias)))


def test_penalty_on_the_input_gradient_differentiates_like_pytorch() -> None:
    x, weight, bias = _double(2, 3, 8, 8), _double(4, 3, 3, 3), _double(4)
    ours = _penalty_gradients(convolve, x, weight, bias)
    plain = _penalty_gradients(
        lambda a, w, b: functional.conv2d(a, w, b, padding=1), x, weight, bias
    )
    for own, reference in zip(ours, plain, strict=True):
        torch.testing.assert_close(own, reference)


def test_mean_is_that_of_pytorch_and_differentiates_twice() -> None:
    x = _double(2, 2, 4, 4)
    torch.testing.assert_close(downsample(x), functional.avg_pool2d(x, 2))
    assert gradcheck(downsample, (x,))
    assert gradgradcheck(lambda a: downsample(a.square()), (x,))
