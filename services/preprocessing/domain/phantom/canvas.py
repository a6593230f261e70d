"""A CT slice under the brush: Hounsfield units, painted from contours with partial volume."""

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from services.preprocessing.domain.phantom.contours import Contour

SIZE_PX = 512
AIR_HU = -1000.0

_SUBPIXEL_BITS = 4
HuImage = NDArray[np.float32]
Mask = NDArray[np.uint8]
_Box = tuple[int, int, int, int]


class Canvas:
    """float32 ``[512, 512]`` HU with a scale in mm.

    ``grain`` fields are unit-variance textures of three sizes (about 1, 4 and 18 mm): tissue is
    never flat, and its unevenness is part of what tells organs apart.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        spacing_mm: float,
        middle_px: tuple[float, float],
    ) -> None:
        self.hu: HuImage = np.full((SIZE_PX, SIZE_PX), AIR_HU, np.float32)
        self.spacing_mm = spacing_mm
        self._middle_px = np.asarray(middle_px)
        self._turn = np.eye(2)
        cells = (1.0, 4.0, 18.0)
        self._grains = [_grain(rng, max(8, round(SIZE_PX * spacing_mm / mm))) for mm in cells]

    def tilt(self, by_deg: float) -> None:
        """Turn all that is painted from now on: the patient on a level couch."""
        tilt = np.deg2rad(by_deg)
        self._turn = np.array([[np.cos(tilt), np.sin(tilt)], [-np.sin(tilt), np.cos(tilt)]])

    def to_px(self, contour: Contour) -> Contour:
        """Pixel coordinates (pixel centres at integers) of points in mm, ``[N, 2]``."""
        turned = contour @ self._turn
        return np.asarray(turned / self.spacing_mm + self._middle_px)

    def fill(
        self,
        contour: Contour,
        hu: float,
        *,
        edge_mm: float = 0.0,
        grain_hu: tuple[float, float, float] = (0.0, 0.0, 0.0),
        opacity: float = 1.0,
        inside: Mask | None = None,
    ) -> None:
        """Paint ``contour`` with ``hu``, its edge blurred by ``edge_mm`` (an oblique surface).

        ``grain_hu`` is the strength of the fine, medium and coarse texture; ``inside`` (uint8
        ``[512, 512]``) keeps the paint within another organ.
        """
        self.fill_all(
            [contour], hu, edge_mm=edge_mm, grain_hu=grain_hu, opacity=opacity, inside=inside
        )

    def fill_all(
        self,
        contours: Iterable[Contour],
        hu: float,
        *,
        edge_mm: float = 0.0,
        grain_hu: tuple[float, float, float] = (0.0, 0.0, 0.0),
        opacity: float = 1.0,
        inside: Mask | None = None,
    ) -> None:
        """Paint the union of many contours in one pass."""
        shapes = list(contours)
        if not shapes:
            return
        points = self.to_px(np.concatenate(shapes))
        sigma_px = edge_mm / self.spacing_mm
        box = _box_around(points, margin_px=3 * sigma_px + 2)
        if box is None:
            return
        x0, y0, x1, y1 = box
        cover = _cover(points, [len(shape) for shape in shapes], box)
        if sigma_px > 0.2:
            cover = np.asarray(cv2.GaussianBlur(cover, (0, 0), sigma_px), dtype=np.uint8)
        alpha = cover.astype(np.float32) * np.float32(opacity / 255.0)
        if inside is not None:
            alpha *= inside[y0:y1, x0:x1].astype(np.float32) * np.float32(1 / 255.0)
        here = self.hu[y0:y1, x0:x1]
        here += alpha * (self._paint(hu, grain_hu, box) - here)

    def mask(self, contour: Contour) -> Mask:
        """Where ``contour`` lies: uint8 ``[512, 512]``, 255 inside, in between at its edge."""
        return _cover(self.to_px(contour), [len(contour)], (0, 0, SIZE_PX, SIZE_PX))

    def _paint(self, hu: float, grain_hu: tuple[float, float, float], box: _Box) -> HuImage:
        x0, y0, x1, y1 = box
        paint = np.full((y1 - y0, x1 - x0), hu, np.float32)
        for strength, grain in zip(grain_hu, self._grains, strict=True):
            if strength:
                paint += np.float32(strength) * grain[y0:y1, x0:x1]
        return paint


def _grain(rng: np.random.Generator, cells: int) -> HuImage:
    """A texture of ``cells`` across; beyond half the canvas, a tile is laid four times."""
    across = SIZE_PX
    if cells > SIZE_PX // 2:
        cells, across = min(cells // 2, SIZE_PX // 2), SIZE_PX // 2
    coarse = rng.standard_normal((cells, cells), dtype=np.float32)
    field = np.asarray(
        cv2.resize(coarse, (across, across), interpolation=cv2.INTER_CUBIC), dtype=np.float32
    )
    field /= field[::4, ::4].std() + np.float32(1e-6)
    return field if across == SIZE_PX else np.tile(field, (2, 2))


def _box_around(points: Contour, margin_px: float) -> _Box | None:
    low = np.clip(np.floor(points.min(0) - margin_px), 0, SIZE_PX).astype(int)
    high = np.clip(np.ceil(points.max(0) + margin_px) + 1, 0, SIZE_PX).astype(int)
    if (high <= low).any():
        return None
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _cover(points: Contour, lengths: list[int], box: _Box) -> Mask:
    """The union of polygons whose points follow one another (drawn together, overlaps cancel)."""
    x0, y0, x1, y1 = box
    cover = np.zeros((y1 - y0, x1 - x0), np.uint8)
    fixed = np.round((points - (x0, y0)) * 2**_SUBPIXEL_BITS).astype(np.int32)
    start = 0
    for length in lengths:
        polygon = fixed[start : start + length]
        cv2.fillPoly(cover, [polygon], 255, lineType=cv2.LINE_AA, shift=_SUBPIXEL_BITS)
        start += length
    return cover
