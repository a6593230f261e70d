"""albumentations: a transform an operation, and once with all geometry in one of them."""

from collections.abc import Callable
from typing import Any

import albumentations
import cv2
import numpy as np

from lesiongan.contracts.augmentation import Interpolation
from services.augmentation.domain import series as bounds
from services.augmentation.domain.series import Series
from tests.benchmarks.augmentation_peers.peer import GEOMETRY, Grey

_METHODS = {"nearest": cv2.INTER_NEAREST, "linear": cv2.INTER_LINEAR}
_HALF = bounds.PROBABILITY
_ROTATE = {"rotate": (-bounds.MAX_ROTATION_DEGREES, bounds.MAX_ROTATION_DEGREES)}
_SCALE = {"scale": (1 / bounds.MAX_SCALE, bounds.MAX_SCALE)}
_SHIFT = {"translate_percent": (-bounds.MAX_SHIFT, bounds.MAX_SHIFT)}
_SHEAR = {"shear": {"x": (-bounds.MAX_SHEAR_DEGREES, bounds.MAX_SHEAR_DEGREES), "y": (0.0, 0.0)}}


class Albumentations:
    name = "albumentations"

    def random_series(self, interpolation: Interpolation) -> Callable[[Grey], object]:
        steps = [
            _affine(interpolation, _HALF, **each) for each in (_SHEAR, _ROTATE, _SCALE, _SHIFT)
        ]
        return _applied([*steps, *_shades()])

    def step_by_step(self, image: Grey, series: Series) -> Grey:
        steps = (
            {"shear": {"x": (-series.shear_degrees,) * 2, "y": (0.0, 0.0)}},
            {"rotate": (-series.rotation_degrees,) * 2},
            {"scale": (series.scale,) * 2},
            {"translate_percent": {"x": (series.shift_x,) * 2, "y": (series.shift_y,) * 2}},
        )
        made = _applied([_affine("linear", 1.0, **each) for each in steps])(image)
        grey = (made.astype(np.float32) - 127.5) * series.gain + 127.5 + series.offset_grey
        return np.asarray(np.clip(np.rint(grey), 0, 255), dtype=np.uint8)


class AlbumentationsFused:
    name = "albumentations with one Affine"

    def random_series(self, interpolation: Interpolation) -> Callable[[Grey], object]:
        any_of_them = 1 - (1 - _HALF) ** len(GEOMETRY)
        every = _affine(interpolation, any_of_them, **_ROTATE, **_SCALE, **_SHIFT, **_SHEAR)
        return _applied([every, *_shades()])

    def step_by_step(self, _image: Grey, _series: Series) -> None:
        return None


def _affine(interpolation: Interpolation, probability: float, **what: Any) -> Any:
    return albumentations.Affine(
        **what,
        interpolation=_METHODS[interpolation],
        border_mode=cv2.BORDER_REFLECT_101,
        p=probability,
    )


def _shades() -> list[Any]:
    bright, gain = bounds.MAX_OFFSET_GREY / 255, bounds.MAX_GAIN - 1
    return [
        albumentations.RandomBrightnessContrast(
            brightness_limit=bright, contrast_limit=gain, p=_HALF
        ),
        albumentations.GaussNoise(std_range=(0.0, bounds.MAX_NOISE_SIGMA_GREY / 255), p=_HALF),
    ]


def _applied(steps: list[Any]) -> Callable[[Grey], Grey]:
    series = albumentations.Compose(steps)

    def made(image: Grey) -> Grey:
        return np.asarray(series(image=image)["image"])

    return made
