"""The projection critic: a residual network that scores an image under its label.

``D(x, y) = psi(phi(x)) + <e_y, phi(x)>`` (Miyato & Koyama, "cGANs with projection discriminator",
ICLR 2018, equation 3). No normalisation: the gradient penalty is on each image by itself
(Gulrajani et al. 2017, section 4).
"""

from itertools import pairwise

from torch import Tensor, nn

from services.gan.domain.config import Architecture
from services.gan.domain.layers import Convolution, Linear, one_hot
from services.gan.domain.second_order import downsample, leaky_relu


class DownBlock(nn.Module):
    """A residual block that halves the resolution: [N, in, H, W] -> [N, out, H/2, W/2]."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.convolution1 = Convolution(inputs, inputs)
        self.convolution2 = Convolution(inputs, outputs)
        self.shortcut = Convolution(inputs, outputs, kernel_px=1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.convolution1(leaky_relu(x))
        h = self.convolution2(downsample(leaky_relu(h)))
        out: Tensor = h + self.shortcut(downsample(x))
        return out


class Critic(nn.Module):
    """D(x, y): images [N, C, H, W] in [-1, 1], labels [N] -> scores [N] in float32."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        widths = [architecture.width_at(size) for size in reversed(architecture.resolutions_px)]
        self.from_image = Convolution(architecture.channels, widths[0])
        self.blocks = nn.ModuleList(DownBlock(a, b) for a, b in pairwise(widths))
        self.last = Convolution(widths[-1], widths[-1])
        self.score = Linear(widths[-1], 1)
        self.projection = Linear(len(architecture.categories), widths[-1])

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        h = self.from_image(images)
        for block in self.blocks:
            h = block(h)
        h = leaky_relu(self.last(leaky_relu(h)))
        # [N, 16, D]: gradients lie in memory as this does.
        rows = h.permute(0, 2, 3, 1).flatten(1, 2)
        features = rows.float().mean(dim=1) * 4.0  # [N, D]: 16 pixels summed, scaled to unit size
        categories = one_hot(labels, len(self.architecture.categories))
        projected = (self.projection(categories) * features).sum(dim=1)
        scores: Tensor = self.score(features).squeeze(1) + projected
        return scores
