"""Heat maps: they lie where the evidence is."""

from typing import get_args

import numpy as np
import pytest
import torch
from torch import nn

from lesiongan.contracts.classifiers import ClassifierArchitecture
from services.classification.domain.architectures import build
from services.classification.domain.grad_cam import grad_cam, overlay


class _Bright(nn.Module):
    """Category 1 is as likely as the image is bright; category 0 never speaks."""

    def __init__(self) -> None:
        super().__init__()
        self.map = nn.Sequential(nn.Identity(), nn.ReLU())

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        bright = self.map(images).mean(dim=(1, 2, 3))
        return torch.stack([0 * bright, bright], dim=1)


def test_heat_lies_where_the_evidence_is() -> None:
    image = np.zeros((1, 32, 32), dtype=np.uint8)
    image[0, 4:12, 20:28] = 255
    heat = grad_cam(_Bright(), image, 1, device="cpu")
    assert heat.shape == (32, 32)
    assert (heat[4:12, 20:28] == 1.0).all()
    assert heat.sum() == 64.0
    assert grad_cam(_Bright(), image, 0, device="cpu").max() == 0.0


@pytest.mark.parametrize("architecture", get_args(ClassifierArchitecture))
def test_frozen_networks_of_each_kind_are_explained(architecture: ClassifierArchitecture) -> None:
    network = build(architecture, channels=1, image_size=32, classes=3, seed=0)
    network.requires_grad_(requires_grad=False)
    image = np.random.default_rng(0).integers(0, 256, (1, 32, 32), dtype=np.uint8)
    maps = [grad_cam(network, image, place, device="cpu") for place in range(3)]
    assert all(0.0 <= each.min() <= each.max() <= 1.0 for each in maps)
    assert any(each.max() == 1.0 for each in maps)
    assert not network._forward_hooks, "nothing stays behind"


def test_cold_places_show_the_image_and_hot_ones_are_coloured() -> None:
    image = np.full((1, 32, 32), 100, dtype=np.uint8)
    heat = np.zeros((32, 32), dtype=np.float32)
    heat[:16] = 1.0
    shown = overlay(image, heat)
    assert shown.shape == (3, 256, 256)
    assert (shown[:, 200] == 100).all()
    assert np.ptp(shown[:, 10, 10].astype(int)) > 20
