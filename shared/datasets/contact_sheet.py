"""A contact sheet: many images in one picture. Pillow alone, which APIs can carry."""

import io
import math
from collections.abc import Iterable
from functools import partial

from PIL import Image, UnidentifiedImageError

from shared.datasets.records import ImageMeta
from shared.errors import BadInput

CELL_PX = 96
GAP_PX = 4
BACKGROUND = (24, 24, 24)
#: DeepLesion's PNGs: HU = value - 32768.
HU_OFFSET = 32768
#: Abdominal soft tissue, for images that say nothing of a window.
WINDOW_HU = (-160.0, 240.0)


def contact_sheet(
    images: Iterable[Image.Image], *, columns: int | None = None, cell_px: int = CELL_PX
) -> bytes:
    """A PNG that shows ``images`` in rows, each enlarged or shrunk to ``cell_px``.

    Args:
        images: of modes L or RGB, as :func:`open_image` and :func:`for_display` answer. Each is
            let go before the next one is asked for, so that large ones are not held together.
        columns: images in a row; the default makes the sheet about square.
        cell_px: side of a cell in pixels.
    """
    cells = list(map(partial(_cell, size=cell_px), images))
    columns = columns or max(1, math.ceil(math.sqrt(len(cells))))
    rows = max(1, math.ceil(len(cells) / columns))
    step = cell_px + GAP_PX
    sheet = Image.new("RGB", (columns * step + GAP_PX, rows * step + GAP_PX), BACKGROUND)
    for place, cell in enumerate(cells):
        row, column = divmod(place, columns)
        sheet.paste(cell, (GAP_PX + column * step, GAP_PX + row * step))
    data = io.BytesIO()
    sheet.save(data, "PNG", compress_level=3)
    return data.getvalue()


def _cell(image: Image.Image, size: int) -> Image.Image:
    method = Image.Resampling.BICUBIC if image.height < size else Image.Resampling.BOX
    return image.resize((size, size), method)


def open_image(png: bytes) -> Image.Image:
    """An 8-bit PNG, grey or RGB. Raises :class:`BadInput` for anything else."""
    image = _open(png)
    if image.mode not in ("L", "RGB"):
        raise BadInput("the image is not an 8-bit PNG")
    return image


def for_display(png: bytes, meta: ImageMeta) -> Image.Image:
    """Any stored image with 8 bits; HU in the image's own window, else in ``WINDOW_HU``."""
    if meta.unit == "uint8":
        return open_image(png)
    image = _open(png)
    if image.mode != "I;16":
        raise BadInput("the image is not a 16-bit grey PNG")
    low, high = meta.window_hu or WINDOW_HU
    scale = 255.0 / (high - low)
    # Pillow clips to 0...255 and cuts off fractions: a half more rounds.
    offset = 0.5 - (HU_OFFSET + low) * scale
    return image.convert("I").convert("F").point(lambda value: value * scale + offset).convert("L")


def _open(png: bytes) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(png), formats=["PNG"])
        image.load()
    except (UnidentifiedImageError, OSError) as error:
        raise BadInput("the image is not a PNG") from error
    return image
