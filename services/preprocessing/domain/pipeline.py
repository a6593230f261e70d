"""From a decoded slice to the picture that a network sees."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from services.preprocessing.domain.contrast import POINTWISE, Contrast, apply_contrast
from services.preprocessing.domain.hounsfield import AIR_HU, decode_hu
from services.preprocessing.domain.lesion_crop import (
    CONTEXT_MM,
    Crop,
    CropGeometry,
    lesion_square,
    slice_square,
)
from services.preprocessing.domain.raw_images import Box
from services.preprocessing.domain.resampling import resample_square
from services.preprocessing.domain.windowing import (
    DEFAULT_WINDOW,
    WINDOWS_HU,
    WindowHU,
    WindowName,
)

#: A slice as it was stored, ``[H, W]``: uint16 (HU + 32768) or uint8 (grey).
Stored = NDArray[np.uint8] | NDArray[np.uint16]

#: Black: what lies beyond an 8-bit image, and beyond any slice once contrast is applied.
_BLACK: Final = 0.0
#: So far beyond a square the resampling may look.
_KERNEL_REACH_PX: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class PreprocessOptions:
    """What ``POST /preprocess`` may choose. ``window`` None: the image's own window."""

    contrast: Contrast = "window"
    crop: Crop = "lesion"
    size: int = 64
    spacing_mm: float | None = None  # None: 64 mm / size
    context_mm: float = CONTEXT_MM
    window: WindowName | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceMetadata:
    """What is known of a slice; None where the source does not say."""

    spacing_mm: float | None = None
    box_px: Box | None = None
    window_hu: WindowHU | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preprocessed:
    """``image`` is uint8 ``[size, size]``, or ``[3, size, size]`` of a lesion's slice between its
    neighbours; the rest says how it came about.
    """

    image: NDArray[np.uint8]
    spacing_mm: float | None  # of a pixel of image
    box_px: Box | None  # the lesion, in pixels of image; may reach beyond a crop's edge
    window_hu: WindowHU | None  # None when no window was applied
    crop: Crop  # "slice" where a lesion crop was asked for but box or spacing is unknown


def preprocess_slice(
    values: NDArray[np.uint8] | NDArray[np.uint16],
    metadata: SliceMetadata,
    options: PreprocessOptions,
) -> Preprocessed:
    """Stored values ``[H, W]`` (uint16: HU + 32768; uint8: grey) → one picture.

    Point-wise contrasts follow the resampling, so that densities are averaged; CLAHE and the
    seed's method come first, on the whole slice, because they depend on the scanned pixels.
    """
    geometry, crop = choose_crop(values.shape, metadata, options)
    window_hu = choose_window(metadata, options)
    if values.dtype == np.uint16:
        stored = cast("NDArray[np.uint16]", values)
        image = _from_stored(stored, geometry, options.contrast, window_hu)
    else:
        grey = apply_contrast(values, options.contrast, window_hu)  # type: ignore[arg-type]
        image = _from_grey(grey, geometry)
    uses_window = values.dtype == np.uint16 and options.contrast in ("window", "clahe")
    return Preprocessed(
        image=image,
        spacing_mm=geometry.spacing_mm,
        box_px=None if metadata.box_px is None else geometry.to_crop(metadata.box_px),
        window_hu=window_hu if uses_window else None,
        crop=crop,
    )


def preprocess_stack(
    slices: Sequence[Stored], metadata: SliceMetadata, options: PreprocessOptions
) -> Preprocessed:
    """One slice, or a lesion's between the one before and the one after, cut and shaded alike.

    The lesion's own is the middle one, which ``metadata`` describes.
    """
    made = [preprocess_slice(values, metadata, options) for values in slices]
    middle = made[len(made) // 2]
    if len(made) == 1:
        return middle
    return replace(middle, image=np.stack([each.image for each in made]))


def rows_needed(shape: tuple[int, int], metadata: SliceMetadata, options: PreprocessOptions) -> int:
    """How many rows of a slice, from its top, :func:`preprocess_slice` looks at.

    It makes the same picture of these alone.
    """
    geometry, crop = choose_crop(shape, metadata, options)
    if crop == "slice" or options.contrast not in POINTWISE:
        return shape[0]
    square = geometry.square
    last = math.ceil(square.centre_y + square.side / 2) + _KERNEL_REACH_PX
    return min(max(last, 1), shape[0])


def choose_crop(
    shape: tuple[int, ...], metadata: SliceMetadata, options: PreprocessOptions
) -> tuple[CropGeometry, Crop]:
    """Where to cut. Without a box, or without the spacing, a lesion crop is the whole slice."""
    height, width = shape
    if options.crop == "lesion" and metadata.box_px and metadata.spacing_mm:
        geometry = lesion_square(
            metadata.box_px,
            metadata.spacing_mm,
            options.size,
            spacing_mm=options.spacing_mm,
            context_mm=options.context_mm,
        )
        return geometry, "lesion"
    return slice_square(width, height, metadata.spacing_mm, options.size), "slice"


def choose_window(metadata: SliceMetadata, options: PreprocessOptions) -> WindowHU:
    """The named window, else the image's own, else the abdomen's."""
    if options.window is not None:
        return WINDOWS_HU[options.window]
    return metadata.window_hu or WINDOWS_HU[DEFAULT_WINDOW]


def _from_stored(
    stored: NDArray[np.uint16], geometry: CropGeometry, contrast: Contrast, window_hu: WindowHU
) -> NDArray[np.uint8]:
    if contrast not in POINTWISE:
        return _from_grey(apply_contrast(decode_hu(stored), contrast, window_hu), geometry)
    square, size = geometry.square, geometry.size
    crop_hu = resample_square(stored, square, size, outside=AIR_HU, decode=decode_hu)
    return apply_contrast(crop_hu, contrast, window_hu)


def _from_grey(grey: NDArray[np.uint8], geometry: CropGeometry) -> NDArray[np.uint8]:
    crop = resample_square(grey, geometry.square, geometry.size, outside=_BLACK)
    return np.rint(crop).astype(np.uint8)
