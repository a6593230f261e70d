"""The critic's three operations, with second derivatives that are as fast as the first.

The gradient penalty differentiates the critic twice, and PyTorch does much for nothing then:

- the weight's gradient in the double backward of a convolution becomes a convolution with
  image-sized kernels, several times slower than the dedicated kernel;
- the backward of a mean writes each value twice;
- a leaky ReLU is piecewise linear, so its second derivative is zero, and zeros are then sent back
  through the whole network: two of six convolutions of the penalty;
- a function written in Python computes every gradient that somebody may want, those of the weights
  too where the image's alone is asked for: one convolution more;
- in bfloat16, the kernel for the weight's gradient takes three times as long as for an image's
  where maps are tiny, and a matrix product of the same arithmetic takes as long as that.

The derivatives of a convolution are convolutions, and spreading is the adjoint of a mean: so a few
mutually recursive functions close under differentiation, and no first derivative leads back to an
input on which it does not depend (the idea of ``conv2d_gradfix`` and its ``no_weight_gradients`` in
Karras et al., "Training generative adversarial networks with limited data", NeurIPS 2020).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

_NOT_TRANSPOSED = False
_SLOPE = 0.2
_TINY_MAP_PX = 16

#: Which first derivatives of a convolution are asked for: with respect to input, weight and bias.
Mask = tuple[bool, bool, bool]
_INPUT: Mask = (True, False, False)
_WEIGHT: Mask = (False, True, False)
_WEIGHT_AND_BIAS: Mask = (False, True, True)


class _Asked:
    """What backward passes are for, in the whole process: a GPU's run on threads of their own."""

    weights = True


@contextmanager
def weights_left_out() -> Iterator[None]:
    """Backward passes give no gradients of convolutions' weights and biases meanwhile."""
    before, _Asked.weights = _Asked.weights, False
    try:
        yield
    finally:
        _Asked.weights = before


def _derivatives(
    gradient: Tensor, x: Tensor, weight: Tensor, asked: Mask
) -> tuple[Tensor, Tensor, Tensor | None]:
    """The kernel of the first derivatives; only those that are asked for are there."""
    outputs, padding = weight.shape[0], weight.shape[-1] // 2
    found = torch.ops.aten.convolution_backward(
        gradient,
        x,
        weight,
        [outputs],
        [1, 1],
        [padding] * 2,
        [1, 1],
        _NOT_TRANSPOSED,
        [0, 0],
        1,
        asked,
    )
    return cast("tuple[Tensor, Tensor, Tensor | None]", found)


def _is_better_a_product(x: Tensor, weight: Tensor) -> bool:
    """Whether the dedicated kernel is the slower way: on a CPU, where maps are tiny."""
    tiny = x.shape[-2] * x.shape[-1] <= _TINY_MAP_PX
    return tiny and x.dtype is torch.bfloat16 and x.device.type == "cpu" and weight.shape[-1] > 1


def _weight_gradient_as_product(gradient: Tensor, x: Tensor, kernel_px: int) -> Tensor:
    """dL/dw [D, C, k, k] of gradient [N, D, H, W] and x [N, C, H, W].

    The rows of one matrix are pixels of the gradient, those of the other what the kernel saw there.
    """
    height, width = x.shape[-2:]
    padding = kernel_px // 2
    padded = functional.pad(x.permute(0, 2, 3, 1), (0, 0, *[padding] * 4))
    offsets = [(row, column) for row in range(kernel_px) for column in range(kernel_px)]
    seen = torch.cat([padded[:, i : i + height, j : j + width] for i, j in offsets], dim=3)
    pixels = gradient.permute(0, 2, 3, 1).reshape(-1, gradient.shape[1])
    product = pixels.t() @ seen.reshape(len(pixels), -1)
    return product.view(-1, kernel_px, kernel_px, x.shape[1]).permute(0, 3, 1, 2)


class _Convolve(torch.autograd.Function):
    """``y = w * x + b``: x [N, C, H, W], w [D, C, k, k], b [D] or None -> y [N, D, H, W]."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        return functional.conv2d(x, weight, bias, padding=weight.shape[-1] // 2)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        to_x, to_weight, to_bias = ctx.needs_input_grad
        for_x = _InputGradient.apply(gradients[0], x.detach(), weight) if to_x else None
        for_weight, for_bias = None, None
        if to_weight and _Asked.weights:
            asked = _WEIGHT_AND_BIAS if to_bias else _WEIGHT
            for_weight, for_bias = _WeightGradient.apply(gradients[0], x, weight, asked)
        return for_x, for_weight, for_bias


class _InputGradient(torch.autograd.Function):
    """dL/dx of a convolution: linear in the gradient [N, D, H, W] and in the weight."""

    @staticmethod
    def forward(ctx: Any, gradient: Tensor, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(gradient, weight)
        return _derivatives(gradient, x, weight, _INPUT)[0]

    @staticmethod
    def backward(ctx: Any, *seconds: Tensor) -> tuple[Tensor | None, ...]:
        gradient, weight = ctx.saved_tensors
        to_gradient, _, to_weight = ctx.needs_input_grad
        for_gradient = _Convolve.apply(seconds[0], weight, None) if to_gradient else None
        for_weight = None
        if to_weight:
            for_weight, _ = _WeightGradient.apply(gradient, seconds[0], weight, _WEIGHT)
        return for_gradient, None, for_weight


class _WeightGradient(torch.autograd.Function):
    """dL/dw and, if it is asked for, dL/db; a penalty on the input's gradient goes no deeper."""

    @staticmethod
    def forward(
        _ctx: Any, gradient: Tensor, x: Tensor, weight: Tensor, asked: Mask
    ) -> tuple[Tensor, Tensor | None]:
        if _is_better_a_product(x, weight):
            for_weight = _weight_gradient_as_product(gradient, x, weight.shape[-1])
            return for_weight, gradient.sum(dim=(0, 2, 3)) if asked == _WEIGHT_AND_BIAS else None
        return _derivatives(gradient, x, weight, asked)[1:]

    @staticmethod
    @once_differentiable
    def backward(_ctx: Any, *_seconds: Tensor) -> tuple[Tensor, ...]:
        raise RuntimeError("the gradient of a weight cannot be differentiated again")


class _Mean(torch.autograd.Function):
    """The mean of each 2x2 pixels: [N, C, 2 H, 2 W] -> [N, C, H, W]."""

    @staticmethod
    def forward(_ctx: Any, x: Tensor) -> Tensor:
        return functional.avg_pool2d(x, 2)

    @staticmethod
    def backward(_ctx: Any, *gradients: Tensor) -> Tensor:
        return cast("Tensor", _Spread.apply(gradients[0]))


class _Spread(torch.autograd.Function):
    """A quarter of each pixel to each of 2x2, the adjoint of the mean."""

    @staticmethod
    def forward(_ctx: Any, x: Tensor) -> Tensor:
        return functional.interpolate(x * 0.25, scale_factor=2.0, mode="nearest")

    @staticmethod
    def backward(_ctx: Any, *gradients: Tensor) -> Tensor:
        return cast("Tensor", _Mean.apply(gradients[0]))


class _Leak(torch.autograd.Function):
    """Leaky ReLU: negative values times 0.2."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return functional.leaky_relu(x, _SLOPE)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return cast("Tensor", _LeakGradient.apply(gradients[0], x.detach()))


class _LeakGradient(torch.autograd.Function):
    """The gradient, times 0.2 where x is negative: linear in the gradient, constant in x."""

    @staticmethod
    def forward(ctx: Any, gradient: Tensor, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        scaled = torch.ops.aten.leaky_relu_backward(gradient, x, _SLOPE, self_is_result=False)
        return cast("Tensor", scaled)

    @staticmethod
    def backward(ctx: Any, *seconds: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        return cast("Tensor", _LeakGradient.apply(seconds[0], x)), None


def convolve(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Stride 1, zero padding that keeps the size; differentiable twice."""
    return cast("Tensor", _Convolve.apply(x, weight, bias))


def downsample(x: Tensor) -> Tensor:
    """Half the resolution, mean of 2x2 pixels: its gradient reaches all pixels alike."""
    return cast("Tensor", _Mean.apply(x))


def leaky_relu(x: Tensor) -> Tensor:
    """``max(x, 0.2 x)``; differentiable twice, where the second derivative is 0."""
    return cast("Tensor", _Leak.apply(x))
