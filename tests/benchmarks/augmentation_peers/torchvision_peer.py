"""torchvision's transforms v2, on tensors."""

from collections.abc import Callable

import numpy as np
import torch
from torchvision.transforms import InterpolationMode, v2
from torchvision.transforms.v2 import functional

from lesiongan.contracts.augmentation import Interpolation
from services.augmentation.domain import series as bounds
from services.augmentation.domain.series import Series
from tests.benchmarks.augmentation_peers.peer import Grey

_MODES = {"nearest": InterpolationMode.NEAREST, "linear": InterpolationMode.BILINEAR}


class Torchvision:
    name = "torchvision v2"

    def random_series(self, interpolation: Interpolation) -> Callable[[Grey], object]:
        mode = _MODES[interpolation]
        shift = (bounds.MAX_SHIFT, bounds.MAX_SHIFT)
        smallest = 1 / bounds.MAX_SCALE
        bright = bounds.MAX_OFFSET_GREY / 255
        steps = [
            v2.RandomAffine(0, shear=bounds.MAX_SHEAR_DEGREES, interpolation=mode),
            v2.RandomRotation(bounds.MAX_ROTATION_DEGREES, interpolation=mode),
            v2.RandomAffine(0, scale=(smallest, bounds.MAX_SCALE), interpolation=mode),
            v2.RandomAffine(0, translate=shift, interpolation=mode),
            v2.ColorJitter(brightness=bright, contrast=bounds.MAX_GAIN - 1),
            _Noise(),
        ]
        series = v2.Compose([v2.RandomApply([step], bounds.PROBABILITY) for step in steps])

        def made(image: Grey) -> object:
            return series(torch.from_numpy(image)[None])

        return made

    def step_by_step(self, image: Grey, series: Series) -> Grey:
        def step(
            made: torch.Tensor,
            angle: float = 0.0,
            scale: float = 1.0,
            translate: tuple[float, float] = (0.0, 0.0),
            shear: float = 0.0,
        ) -> torch.Tensor:
            moved: torch.Tensor = functional.affine(
                made,
                angle=angle,
                translate=list(translate),
                scale=scale,
                shear=[shear, 0.0],
                interpolation=InterpolationMode.BILINEAR,
            )
            return moved

        side = len(image)
        made = step(torch.from_numpy(image)[None], shear=-series.shear_degrees)
        made = step(made, angle=series.rotation_degrees)
        made = step(made, scale=series.scale)
        made = step(made, translate=(series.shift_x * side, series.shift_y * side))
        grey = (made.float() - 127.5) * series.gain + 127.5 + series.offset_grey
        return np.asarray(grey.round().clamp(0, 255).to(torch.uint8)[0].numpy())


class _Noise(torch.nn.Module):
    """``v2.GaussianNoise`` of a random deviation, as it has a fixed one; it wants 0 to 1."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        sigma = float(torch.rand(()) * bounds.MAX_NOISE_SIGMA_GREY / 255)
        noisy = functional.gaussian_noise(functional.to_dtype(image, scale=True), sigma=sigma)
        made: torch.Tensor = functional.to_dtype(noisy, torch.uint8, scale=True)
        return made
