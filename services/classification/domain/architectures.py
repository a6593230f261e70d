"""Networks that classify single images: torchvision's, and a small one for small images.

ResNet-18: He et al., "Deep residual learning for image recognition", CVPR 2016. MobileNetV2:
Sandler et al., "MobileNetV2: inverted residuals and linear bottlenecks", CVPR 2018. ConvNeXt-T:
Liu et al., "A ConvNet for the 2020s", CVPR 2022. All were made
for 224 pixels and halve the resolution five times, which leaves one pixel of a 32-pixel image; so
their first strides are taken out until the last map has at least 4 by 4 pixels.
"""

from typing import Any

import torch
from torch import nn

from lesiongan.contracts.classifiers import ClassifierArchitecture
from shared.compute.precision import random_kept
from shared.compute.small_cnn import SmallCnn

#: The smallest side of the last feature map, in pixels.
LAST_MAP_PX = 4


def build(
    architecture: ClassifierArchitecture, *, channels: int, image_size: int, classes: int, seed: int
) -> nn.Module:
    """A network from float [N, channels, image_size, image_size] to logits [N, classes].

    Weights are drawn from ``seed``; the caller's random state stays as it is.
    """
    with random_kept("cpu"):
        torch.manual_seed(seed)
        match architecture:
            case "small_cnn":
                network: nn.Module = SmallCnn(channels, classes)
            case "resnet18":
                network = _resnet18(channels, image_size, classes)
            case "mobilenet_v2":
                network = _mobilenet_v2(channels, image_size, classes)
            case "convnext_tiny":
                network = _convnext_tiny(channels, image_size, classes)
    memory_format: Any = torch.channels_last
    return network.to(memory_format=memory_format)


def _strides_to_keep(image_size: int, halvings: int) -> int:
    """How many of ``halvings`` leave at least ``LAST_MAP_PX`` of ``image_size`` pixels."""
    kept = 0
    while kept < halvings and image_size >> (kept + 1) >= LAST_MAP_PX:
        kept += 1
    return kept


def _resnet18(channels: int, image_size: int, classes: int) -> nn.Module:
    from torchvision.models import resnet18  # noqa: PLC0415 - slow, and few need it

    network: nn.Module = resnet18(num_classes=classes)
    kept = _strides_to_keep(image_size, halvings=5)
    if kept == 5:
        network.conv1 = nn.Conv2d(channels, 64, 7, stride=2, padding=3, bias=False)
        return network
    # As usual for small images: a first convolution of 3 by 3, and no pooling after it.
    stride = 2 if kept == 4 else 1
    network.conv1 = nn.Conv2d(channels, 64, 3, stride=stride, padding=1, bias=False)
    network.maxpool = nn.Identity()
    return network


def _mobilenet_v2(channels: int, image_size: int, classes: int) -> nn.Module:
    from torchvision.models import mobilenet_v2  # noqa: PLC0415 - slow, and few need it

    network: Any = mobilenet_v2(num_classes=classes)
    first: Any = network.features[0]
    first[0] = nn.Conv2d(channels, 32, 3, stride=2, padding=1, bias=False)
    dropped = 5 - _strides_to_keep(image_size, halvings=5)
    strided = [m for m in network.modules() if isinstance(m, nn.Conv2d) and m.stride == (2, 2)]
    for convolution in strided[:dropped]:
        convolution.stride = (1, 1)
    made: nn.Module = network
    return made


def _convnext_tiny(channels: int, image_size: int, classes: int) -> nn.Module:
    from torchvision.models import convnext_tiny  # noqa: PLC0415 - slow, and few need it

    network: Any = convnext_tiny(num_classes=classes)
    dropped = 5 - _strides_to_keep(image_size, halvings=5)
    # Its first convolution halves twice: by 4 x 4 patches; for small images, by one of 3 x 3.
    first = nn.Conv2d(channels, 96, 4, stride=4)
    if dropped:
        first = nn.Conv2d(channels, 96, 3, stride=4 >> min(dropped, 2), padding=1)
    network.features[0][0] = first
    made: nn.Module = network
    return made
