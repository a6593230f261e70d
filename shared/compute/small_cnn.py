"""A small network for small images: it tells categories apart, and images are compared by it."""

from torch import nn


class SmallCnn(nn.Sequential):
    """Four convolutions of 3 by 3, each halving the resolution, and one linear layer.

    From float [N, channels, S, S], S >= 16, to logits [N, classes].
    """

    WIDTHS = (32, 64, 128, 128)

    def __init__(self, channels: int, classes: int) -> None:
        layers: list[nn.Module] = []
        for before, after in zip((channels, *self.WIDTHS), self.WIDTHS, strict=False):
            layers += [
                nn.Conv2d(before, after, 3, padding=1, bias=False),
                nn.BatchNorm2d(after),
                nn.MaxPool2d(2),  # before the ReLU, which gives the same and has a quarter to do
                nn.ReLU(inplace=True),
            ]
        head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.3)]
        super().__init__(*layers, *head, nn.Linear(self.WIDTHS[-1], classes))

    @property
    def embedding(self) -> nn.Sequential:
        """The same network up to what the last layer sees: features [N, 128]."""
        return nn.Sequential(*list(self)[:-2])
