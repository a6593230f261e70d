"""Our derivatives against PyTorch's own, and against finite differences."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck
from torch.nn import functional

from services.gan.domain.second_order import convolve, downsample, leaky_relu, weights_left_out
from tests.benchmarks.arithmetic import operations


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


@pytest.mark.parametrize("size_px", [2, 4])
def test_weights_of_tiny_maps_have_the_gradients_of_pytorch(size_px: int) -> None:
    """In bfloat16 they are computed as a matrix product, to as many digits as the kernel's."""
    x, weight, bias = _double(3, 5, size_px, size_px), _double(4, 5, 3, 3), _double(4)
    given = _double(3, 4, size_px, size_px).detach()

    def gradients(
        convolution: Callable[[Tensor, Tensor, Tensor], Tensor], dtype: torch.dtype
    ) -> tuple[Tensor, ...]:
        inputs = [each.detach().to(dtype).requires_grad_() for each in (x, weight, bias)]
        y = convolution(*inputs)
        return torch.autograd.grad(y, inputs, given.to(dtype))

    ours = gradients(convolve, torch.bfloat16)
    exact = gradients(lambda a, w, b: functional.conv2d(a, w, b, padding=1), torch.float64)
    for own, reference in zip(ours, exact, strict=True):
        assert own.dtype is torch.bfloat16
        torch.testing.assert_close(own.double(), reference, rtol=0.03, atol=0.06)


def test_mean_is_that_of_pytorch_and_differentiates_twice() -> None:
    x = _double(2, 2, 4, 4)
    torch.testing.assert_close(downsample(x), functional.avg_pool2d(x, 2))
    assert gradcheck(downsample, (x,))
    assert gradgradcheck(lambda a: downsample(a.square()), (x,))


def test_leaky_relu_is_that_of_pytorch_and_differentiates_twice() -> None:
    x = _double(3, 2, 4, 4)
    torch.testing.assert_close(leaky_relu(x), functional.leaky_relu(x, 0.2))
    assert gradcheck(leaky_relu, (x,))
    assert gradgradcheck(lambda a: leaky_relu(a.square() - 0.5), (x,))


def test_penalty_of_two_layers_differentiates_like_pytorch() -> None:
    x, weight, bias = _double(2, 3, 8, 8), _double(3, 3, 3, 3), _double(3)

    def ours(a: Tensor, w: Tensor, b: Tensor) -> Tensor:
        return downsample(convolve(leaky_relu(convolve(a, w, b)), w, b))

    def plain(a: Tensor, w: Tensor, b: Tensor) -> Tensor:
        inner = functional.leaky_relu(functional.conv2d(a, w, b, padding=1), 0.2)
        return functional.avg_pool2d(functional.conv2d(inner, w, b, padding=1), 2)

    for own, reference in zip(
        _penalty_gradients(ours, x, weight, bias),
        _penalty_gradients(plain, x, weight, bias),
        strict=True,
    ):
        torch.testing.assert_close(own, reference)


def test_a_penalty_computes_nothing_for_nothing() -> None:
    """Neither weights' gradients that nobody asked for, nor what follows from zeros."""
    x, weight, bias = _double(2, 3, 8, 8), _double(3, 3, 3, 3), _double(3)
    layer = operations(lambda: convolve(x, weight, bias))

    def penalty() -> None:
        y = leaky_relu(convolve(leaky_relu(convolve(x, weight, bias)), weight, bias))
        with weights_left_out():
            (gradient,) = torch.autograd.grad(y.sum(), x, create_graph=True)
        gradient.square().sum().backward()  # type: ignore[no-untyped-call]

    # Forward and the image's gradient: two layers each. Then the weight twice, and once the way
    # from the first layer to the second; what comes to that from behind is constant.
    assert operations(penalty) == (2 + 2 + 2 + 1) * layer


def test_weights_are_left_out_only_meanwhile() -> None:
    x, weight, bias = _double(2, 3, 8, 8), _double(4, 3, 3, 3), _double(4)

    def gradients() -> tuple[Tensor | None, ...]:
        total = convolve(x, weight, bias).square().sum()
        return torch.autograd.grad(total, (x, weight, bias), allow_unused=True)

    with weights_left_out():
        alone = gradients()
    assert (alone[1], alone[2]) == (None, None)
    whole = gradients()
    assert whole[1] is not None
    assert whole[2] is not None
    assert alone[0] is not None
    assert whole[0] is not None
    assert torch.equal(alone[0], whole[0])
