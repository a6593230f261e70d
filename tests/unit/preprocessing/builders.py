"""Small images, tables and sources in the layouts' own form."""

import csv
import io
import struct
import zlib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from services.preprocessing.domain.deeplesion_rows import COLUMNS
from services.preprocessing.domain.hounsfield import encode_hu
from services.preprocessing.domain.png import encode_grey


class Files:
    """A Source in memory that counts how often each file is read."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = dict(files)
        self.reads: list[str] = []

    def names(self) -> Sequence[str]:
        return list(self._files)

    def read(self, name: str) -> bytes:
        self.reads.append(name)
        return self._files[name]


def slice_png(*, width: int = 64, height: int = 48, seed: int = 0) -> bytes:
    """A 16-bit slice in DeepLesion's convention, of noise around soft tissue."""
    noise = np.random.default_rng(seed).normal(40, 30, (height, width))
    return encode_grey(encode_hu(noise.astype(np.int16)))


def grey_png(seed: int = 0, *, size: int = 28) -> bytes:
    """An 8-bit image of noise."""
    return encode_grey(grey_noise(seed, size=size))


def grey_noise(seed: int = 0, *, size: int = 28) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (size, size), np.uint8)


def chunk(kind: bytes, body: bytes) -> bytes:
    """One PNG chunk with its checksum."""
    checksum = zlib.crc32(kind + body).to_bytes(4, "big")
    return len(body).to_bytes(4, "big") + kind + body + checksum


def after_header(png: bytes, inserted: bytes) -> bytes:
    """The PNG with something between its IHDR chunk and the rest."""
    return png[:33] + inserted + png[33:]


def header_only(
    width: int, height: int, *, bit_depth: int = 8, colour_type: int = 0, interlace: int = 0
) -> bytes:
    """A PNG that ends after its header."""
    body = struct.pack(">IIBBBBB", width, height, bit_depth, colour_type, 0, 0, interlace)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", body)


def lesion(**cells: str) -> dict[str, str]:
    """A row of DL_info.csv for a 64 x 48 slice; ``cells`` replaces columns."""
    row = {
        "File_name": "000001_01_01_010.png",
        "Patient_index": "1",
        "Study_index": "1",
        "Series_ID": "1",
        "Key_slice_index": "10",
        "Measurement_coordinates": "20, 20, 30, 20, 25, 18, 25, 22",
        "Bounding_boxes": "15, 13, 35, 27",
        "Lesion_diameters_Pixel_": "10, 4",
        "Normalized_lesion_location": "0.4, 0.4, 0.5",
        "Coarse_lesion_type": "4",
        "Possibly_noisy": "0",
        "Slice_range": "5, 15",
        "Spacing_mm_px_": "0.8, 0.8, 5",
        "Image_size": "64, 48",
        "DICOM_windows": "-175, 275",
        "Patient_gender": "F",
        "Patient_age": "62.0",
        "Train_Val_Test": "3",
    }
    return row | cells


def table(rows: Sequence[Mapping[str, str]], columns: Sequence[str] = COLUMNS) -> bytes:
    """Rows as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
