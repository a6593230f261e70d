"""Sound uploads in every form that ingest takes: what mutations start from."""

import csv
import gzip
import io
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Literal, get_args

from pydicom.uid import JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless

from lesiongan.contracts.datasets import Layout
from services.preprocessing.domain.deeplesion_rows import COLUMNS
from tests.unit.preprocessing.builders import grey_png, lesion, slice_png
from tests.unit.preprocessing.dicom import codestreams
from tests.unit.preprocessing.dicom.builders import (
    UID_ROOT,
    compressed,
    ct,
    enhanced,
    hounsfield,
    written,
)

Form = Literal["zip", "tar", "tar.gz"]
FORMS: tuple[Form, ...] = ("zip", "tar", "tar.gz")


@dataclass(frozen=True)
class Upload:
    """An archive, and the layout that it is said to be in."""

    data: bytes
    layout: Layout
    form: Form


@cache
def png(seed: int, *, deep: bool = False) -> bytes:
    """A small image: 8 bits, or a 16-bit slice."""
    return slice_png(seed=seed) if deep else grey_png(seed)


def table(rows: list[dict[str, str]]) -> bytes:
    """DL_info.csv of these rows."""
    sink = io.StringIO()
    writer = csv.DictWriter(sink, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    return sink.getvalue().encode()


def rows(count: int = 3) -> list[dict[str, str]]:
    """Lesions of as many slices."""
    return [lesion(File_name=f"000001_01_01_{number:03}.png") for number in range(count)]


@cache
def dicoms() -> tuple[bytes, ...]:
    """Slices of one patient: plain, compressed in three ways, and of many frames."""
    picture = codestreams.picture()
    frames = [{"values": hounsfield(n), "rescale": (1, -n), "spacing": 0.7} for n in range(3)]
    return (
        written(ct(number=0)),
        compressed(ct(picture, 1), JPEG2000Lossless, codestreams.JPEG_2000),
        compressed(ct(picture, 2), JPEGLosslessSV1, codestreams.JPEG_LOSSLESS),
        compressed(ct(picture, 3), JPEGLSLossless, codestreams.JPEG_LS),
        written(enhanced(frames, {"window": (40, 400)}, SOPInstanceUID=f"{UID_ROOT}.4")),
    )


def files(layout: Layout) -> dict[str, bytes]:
    """A small data set."""
    if layout == "dicom":
        return {f"scan/{n}": data for n, data in enumerate(dicoms())}
    if layout == "deeplesion":
        slices = {f"Images_png/000001_01_01/{n:03}.png": png(n, deep=True) for n in range(3)}
        return {"DL_info.csv": table(rows()), **slices}
    images = {f"images/liver/{n}.png": png(n) for n in range(3)}
    lines = "".join(f"{name},liver,p{n},train\n" for n, name in enumerate(images))
    return {"manifest.csv": b"file,category,patient,split\n" + lines.encode(), **images}


def packed(content: Mapping[str, bytes], form: Form) -> bytes:
    """Files as an archive."""
    sink = io.BytesIO()
    if form == "zip":
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in content.items():
                archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
        return sink.getvalue()
    with tarfile.open(fileobj=sink, mode="w") as tar:
        for name, data in content.items():
            tar.addfile(member(name, len(data)), io.BytesIO(data))
    return gzip.compress(sink.getvalue(), mtime=0) if form == "tar.gz" else sink.getvalue()


def member(name: str, size: int = 0) -> tarfile.TarInfo:
    """A tar's header."""
    info = tarfile.TarInfo(name)
    info.size = size
    return info


def upload(random: Random) -> Upload:
    """A sound one."""
    layout: Layout = random.choice(get_args(Layout))
    form = random.choice(FORMS)
    return Upload(packed(files(layout), form), layout, form)
