"""The class-conditional residual generator: latent, grain and label in, image out.

Residual blocks with upsampling as in Gulrajani et al. 2017 (appendix F). Where they had batch
normalisation, features are normalised a pixel (Karras et al., "Progressive growing of GANs", ICLR
2018) and modulated by latent and label (Chen et al., "On self modulation for generative adversarial
networks", ICLR 2019): an image depends on its own noise only, never on its neighbours in a batch.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from services.gan.domain.config import Architecture
from services.gan.domain.layers import Convolution, Linear, one_hot, upsample

_EPSILON = 1e-6


class ModulatedNorm(nn.Module):
    """Scales each pixel's features to unit size, then by a gain and offset that the style decides.

    Pixel by pixel, so that a uniformly grey organ stays one: dividing by statistics of the whole
    image would blow its noise up. Computed in float32: in bfloat16, PyTorch multiplies one number
    at a time wherever a value is shared by fewer channels than its vectors hold.
    """

    def __init__(self, width: int, style_size: int) -> None:
        super().__init__()
        self.modulation = Linear(style_size, 2 * width)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        gain, offset = self.modulation(style)[:, :, None, None].chunk(2, dim=1)
        exact = x.float()
        power = exact.square().mean(dim=1, keepdim=True)
        normal = exact * torch.rsqrt(power + _EPSILON)
        return torch.addcmul(offset, normal, 1.0 + gain).to(x.dtype)


class UpBlock(nn.Module):
    """A residual block that doubles the resolution: [N, in, H, W] -> [N, out, 2 H, 2 W]."""

    def __init__(self, inputs: int, outputs: int, style_size: int) -> None:
        super().__init__()
        self.norm1 = ModulatedNorm(inputs, style_size)
        self.convolution1 = Convolution(inputs, outputs)
        self.norm2 = ModulatedNorm(outputs, style_size)
        self.convolution2 = Convolution(outputs, outputs)
        self.shortcut = Convolution(inputs, outputs, kernel_px=1)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        h = functional.relu(self.norm1(x, style))
        h = self.convolution1(h)
        h = upsample(functional.relu(self.norm2(h, style)))
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
        self.to_grain = Convolution(widths[-1], architecture.channels)

    def forward(
        self, latents: Tensor, grain: Tensor, labels: Tensor, dtype: torch.dtype = torch.float32
    ) -> Tensor:
        """Computes in ``dtype``; the image is of ``dtype`` too."""
        categories = one_hot(labels, len(self.architecture.categories))
        style = torch.cat((latents, self.embedding(categories)), dim=1)
        h = self.seed_map(style).to(dtype)
        h = h.view(len(h), 4, 4, -1).permute(0, 3, 1, 2)  # channels last in memory from the start
        for block in self.blocks:
            h = block(h, style)
        h = functional.relu(self.norm(h, style))
        structure, amplitude = self.to_image(h).float(), self.to_grain(h).float()
        return torch.tanh(torch.addcmul(structure, amplitude, grain)).to(dtype)
