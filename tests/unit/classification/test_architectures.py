"""Networks for small images, drawn from a seed."""

from typing import Any, get_args

import pytest
import torch
from torch import Tensor, nn

from lesiongan.contracts.classifiers import ClassifierArchitecture
from services.classification.domain.architectures import LAST_MAP_PX, build

ARCHITECTURES: tuple[ClassifierArchitecture, ...] = get_args(ClassifierArchitecture)


def maps_of(network: nn.Module, images: Tensor) -> tuple[Tensor, list[tuple[int, int]]]:
    """The logits, and height and width of what each convolution gives, in order."""
    sizes: list[tuple[int, int]] = []

    def keep(_: nn.Module, __: Any, made: Tensor) -> None:
        sizes.append((made.shape[2], made.shape[3]))

    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(keep)
    with torch.inference_mode():
        return network.eval()(images), sizes


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("image_size", [32, 64, 128])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_each_size_gives_logits_of_a_map_that_still_has_a_place(
    architecture: ClassifierArchitecture, image_size: int, channels: int
) -> None:
    network = build(architecture, channels=channels, image_size=image_size, classes=5, seed=0)
    logits, maps = maps_of(network, torch.zeros(2, channels, image_size, image_size))
    assert logits.shape == (2, 5)
    assert min(min(size) for size in maps) >= LAST_MAP_PX
    if architecture != "small_cnn":
        assert maps[-1] == (LAST_MAP_PX, LAST_MAP_PX), "no more work than needed"


@pytest.mark.parametrize("architecture", ["resnet18", "mobilenet_v2"])
def test_a_large_image_is_halved_as_the_paper_says(architecture: ClassifierArchitecture) -> None:
    network = build(architecture, channels=1, image_size=256, classes=2, seed=0)
    _, maps = maps_of(network, torch.zeros(1, 1, 256, 256))
    assert maps[0] == (128, 128)
    assert maps[-1] == (8, 8)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_weights_are_the_seeds_alone_and_the_callers_random_state_stays(
    architecture: ClassifierArchitecture,
) -> None:
    def weights(seed: int) -> dict[str, Tensor]:
        network = build(architecture, channels=1, image_size=32, classes=3, seed=seed)
        return dict(network.state_dict())

    torch.manual_seed(99)
    before = torch.get_rng_state()
    first = weights(7)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(5)
    again, other = weights(7), weights(8)
    assert all(torch.equal(first[name], again[name]) for name in first)
    drawn = [name for name in first if name.endswith("weight") and first[name].dim() > 1]
    assert drawn
    assert not any(torch.equal(first[name], other[name]) for name in drawn)
