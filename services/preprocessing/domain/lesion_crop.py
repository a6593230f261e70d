"""Which square of a slice becomes the picture: a lesion at constant scale, or the whole slice."""

from dataclasses import dataclass
from typing import Final, Literal

from services.preprocessing.domain.raw_images import Box
from services.preprocessing.domain.resampling import Square

Crop = Literal["lesion", "slice"]

#: The default field of view. In DeepLesion's official test split 84 % of the lesions, with 10 mm
#: of context on each side, fit in it.
FIELD_MM: Final = 64.0
CONTEXT_MM: Final = 10.0


@dataclass(frozen=True, slots=True)
class CropGeometry:
    """A square on the slice and what it means. ``spacing_mm`` is None if the slice's is unknown."""

    square: Square
    size: int
    spacing_mm: float | None  # side of an output pixel
    grown: bool  # the lesion did not fit at the wanted spacing

    def to_crop(self, box_px: Box) -> Box:
        """A box on the slice, in pixels of the crop."""
        scale = self.size / self.square.side
        left = self.square.centre_x - self.square.side / 2
        top = self.square.centre_y - self.square.side / 2
        x1, y1, x2, y2 = box_px
        return (x1 - left) * scale, (y1 - top) * scale, (x2 - left) * scale, (y2 - top) * scale


def lesion_square(
    box_px: Box,
    slice_spacing_mm: float,
    size: int,
    *,
    spacing_mm: float | None = None,
    context_mm: float = CONTEXT_MM,
) -> CropGeometry:
    """A square centred on the lesion whose pixels measure ``spacing_mm`` (default 64 mm / size).

    Constant scale lets a model see how large a lesion is. When the lesion's longer side and
    ``context_mm`` on both sides do not fit, the field grows and the spacing with it.
    """
    x1, y1, x2, y2 = box_px
    wanted_mm = FIELD_MM if spacing_mm is None else size * spacing_mm
    needed_mm = max(x2 - x1, y2 - y1) * slice_spacing_mm + 2 * context_mm
    field_mm = max(wanted_mm, needed_mm)
    square = Square((x1 + x2) / 2, (y1 + y2) / 2, field_mm / slice_spacing_mm)
    return CropGeometry(square, size, field_mm / size, grown=needed_mm > wanted_mm)


def slice_square(
    width: int, height: int, slice_spacing_mm: float | None, size: int
) -> CropGeometry:
    """The whole slice, centred; the shorter side is padded, so that the scale is one."""
    side = float(max(width, height))
    spacing_mm = None if slice_spacing_mm is None else side * slice_spacing_mm / size
    return CropGeometry(Square(width / 2, height / 2, side), size, spacing_mm, grown=False)
