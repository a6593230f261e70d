"""The class-conditional residual generator: latent and label in, image out.

Residual blocks with upsampling as in Gulrajani et al. 2017 (appendix F), with
group normalisation modulated by latent and label (Chen et al., "On self modulation for generative
adversarial networks", ICLR 2019) where they had batch normalisation: an image then depends on its
own latent only, never on its neighbours in a batch.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from services.gan.domain.config import Architecture
from services.gan.domain.layers import Convolution, Linear, one_hot, upsample

_GROUP_WIDTH = 16


class ModulatedNorm(nn.Module):
    """Group normalisation, then a gain and an offset a feature map that the style decides."""

    def __init__(self, width: int, style_size: int) -> None:
        super().__init__()
        self.groups = max(1, width // _GROUP_WIDTH) if width % _GROUP_WIDTH == 0 else 1
        self.modulation = Linear(style_size, 2 * width)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        gain, offset = self.modulation(style).to(x.dtype)[:, :, None, None].chunk(2, dim=1)
        normal: Tensor = functional.group_norm(x, self.groups)
        modulated: Tensor = normal * (1.0 + gain) + offset
        return modulated


class UpBlock(nn.Module):
    """A residual block that doubles the resolution: [N, in, H, W] -> [N, out, 2 H, 2 W]."""

    def __init__(self, inputs: int, outputs: int, style_size: int) -> None:
        super().__init__()
        self.grain_strength = nn.Parameter(torch.zeros(outputs))
        self.norm1 = ModulatedNorm(inputs, style_size)
        self.convolution1 = Convolution(inputs, outputs)
        self.norm2 = ModulatedNorm(outputs, style_size)
        self.convolution2 = Convolution(outputs, outputs)
        self.shortcut = Convolution(inputs, outputs, kernel_px=1)

    def forward(self, x: Tensor, style: Tensor, grain: Tensor) -> Tensor:
        h = functional.relu(self.norm1(x, style))
        h = self.convolution1(h)
        h = upsample(functional.relu(self.norm2(h, style)))
        h = torch.addcmul(h, grain, self.grain_strength.to(h.dtype).view(1, -1, 1, 1))
        h = self.convolution2(h)
        out: Tensor = h + upsample(self.shortcut(x))
        return out


class Generator(nn.Module):
    """G(z, y): latents [N, L], grain [N, 1, S, S], labels [N] -> images [N, C, S, S] in [-1, 1].

    A label of -1 stands for no label.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        sizes = architecture.resolutions_px
        widths = [architecture.width_at(size) for size in sizes]
        self.embedding = Linear(len(architecture.categories), architecture.latent_size)
        style_size = 2 * architecture.latent_size
        self.seed_map = Linear(style_size, widths[0] * sizes[0] ** 2)
        self.blocks = nn.ModuleList(
            UpBlock(inputs, outputs, style_size) for inputs, outputs in pairwise(widths)
        )
        self.norm = ModulatedNorm(widths[-1], style_size)
        self.to_image = Convolution(widths[-1], architecture.channels)

    def forward(
        self, latents: Tensor, grain: Tensor, labels: Tensor, dtype: torch.dtype = torch.float32
    ) -> Tensor:
        """Computes in ``dtype``; the image is of ``dtype`` too."""
        categories = one_hot(labels, len(self.architecture.categories))
        style = torch.cat((latents, self.embedding(categories)), dim=1)
        h = self.seed_map(style).to(dtype)
        h = h.view(len(h), 4, 4, -1).permute(0, 3, 1, 2)  # channels last in memory from the start
        grain = grain.to(dtype)
        for block in self.blocks:
            every = grain.shape[-1] // (2 * h.shape[-1])
            h = block(h, style, grain[:, :, ::every, ::every])
        h = functional.relu(self.norm(h, style))
        return torch.tanh(self.to_image(h).float()).to(dtype)
