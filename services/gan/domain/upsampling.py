"""Bilinear upsampling on a GPU, with a gradient that is the same each time.

Where kernels must be deterministic, PyTorch takes some forty for a bilinear upsampling on a GPU:
its own one for the gradient adds up in whichever order threads come. For twice the resolution the
gradient is a stencil of four numbers a dimension, whose order is fixed.
"""

from typing import Any, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def _half(gradient: Tensor, dim: int) -> Tensor:
    """Each pixel of the half gets 1/4, 3/4, 3/4 and 1/4 of its neighbours; the border's twice."""
    count = gradient.shape[dim] // 2
    even, odd = gradient.unflatten(dim, (count, 2)).unbind(dim + 1)  # type: ignore[no-untyped-call]
    half: Tensor = (even + odd).mul_(0.75)
    half.narrow(dim, 1, count - 1).add_(odd.narrow(dim, 0, count - 1), alpha=0.25)
    half.narrow(dim, 0, count - 1).add_(even.narrow(dim, 1, count - 1), alpha=0.25)
    half.narrow(dim, 0, 1).add_(even.narrow(dim, 0, 1), alpha=0.25)
    half.narrow(dim, count - 1, 1).add_(odd.narrow(dim, count - 1, 1), alpha=0.25)
    return half


class _Upsample(torch.autograd.Function):
    """[N, C, H, W] -> [N, C, 2 H, 2 W]; nothing differentiates the generator twice."""

    @staticmethod
    def forward(_ctx: Any, x: Tensor) -> Tensor:
        twice = torch.ops.aten.upsample_bilinear2d.vec(
            x, output_size=None, align_corners=False, scale_factors=[2.0, 2.0]
        )
        return cast("Tensor", twice)

    @staticmethod
    @once_differentiable
    def backward(_ctx: Any, *gradients: Tensor) -> Tensor:
        (gradient,) = gradients
        exact = gradient.to(torch.promote_types(gradient.dtype, torch.float32))
        return _half(_half(exact, 2), 3).to(gradient.dtype)


def upsample_fixed_order(x: Tensor) -> Tensor:
    """Twice the resolution, bilinear; the gradient's sums have a fixed order on every device."""
    return cast("Tensor", _Upsample.apply(x))
