"""The layers that generator and critic share.

Parameters are float32. Activations have the type of a network's input, and weights are cast to it
where they are used: the whole network computes in bfloat16 when its input is bfloat16.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from services.gan.domain.second_order import convolve
from services.gan.domain.upsampling import upsample_fixed_order


class Convolution(nn.Module):
    """A convolution that keeps the size: [N, in, H, W] -> [N, out, H, W]."""

    def __init__(self, inputs: int, outputs: int, kernel_px: int = 3) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(outputs, inputs, kernel_px, kernel_px))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor) -> Tensor:
        weight, bias = self.weight.to(x.dtype), self.bias.to(x.dtype)
        return convolve(x, weight, bias)


class Linear(nn.Module):
    """An affine map in float32: [N, in] -> [N, out]. It is small, and its precision matters."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(outputs, inputs))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x.float(), self.weight, self.bias)


def upsample(x: Tensor) -> Tensor:
    """Twice the resolution, bilinear: neither checkerboard nor blocks to be smoothed away later.

    Odena et al., "Deconvolution and checkerboard artifacts", Distill 2016.
    """
    if x.is_cuda:
        return upsample_fixed_order(x)
    return functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


def one_hot(labels: Tensor, categories: int) -> Tensor:
    """Labels [N] -> float32 [N, categories]. A label of -1 (no label) becomes a row of zeros."""
    return (labels.unsqueeze(1) == torch.arange(categories, device=labels.device)).float()


@torch.no_grad()
def initialise(network: nn.Module, random: torch.Generator) -> None:
    """Glorot-uniform weights for ReLU, drawn from ``random`` in the order of the parameters."""
    for parameter in network.parameters():
        if parameter.dim() > 1:
            nn.init.xavier_uniform_(parameter, gain=math.sqrt(2.0), generator=random)
