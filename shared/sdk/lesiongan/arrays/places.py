"""Where the images of an archive lie in its file, and what they show."""

import csv
import io
import json
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from lesiongan.contracts.categories import CATEGORIES, SPLITS, Category
from lesiongan.errors import UnexpectedAnswer

#: A ZIP's local header: its fixed part, whose last two numbers are what follows before the data
#: (APPNOTE.TXT, 4.3.7).
_LOCAL_HEADER_BYTES = 30


@dataclass(frozen=True)
class Place:
    """One PNG: its bytes in the archive's file, its category and split where they are known."""

    name: str
    offset: int
    size: int
    category: Category | None
    split: str | None

    def read(self, archive: Path) -> bytes:
        """The PNG. Opens the file anew, so that processes and threads share nothing."""
        with archive.open("rb") as file:
            file.seek(self.offset)
            return file.read(self.size)


@dataclass(frozen=True)
class Index:
    """The images that were asked for, and the categories of the whole archive in their order."""

    places: tuple[Place, ...]
    categories: tuple[Category, ...]

    def label(self, place: Place) -> int:
        """Which of the categories an image shows; -1 for none."""
        return -1 if place.category is None else self.categories.index(place.category)


def index_of(archive: Path, split: str | None = None) -> Index:
    """The images of an archive, or of one split.

    Raises :class:`UnexpectedAnswer` where it is no archive that the API sends, or has none.
    """
    try:
        with archive.open("rb") as file, zipfile.ZipFile(file) as opened:
            found = [*_places(opened, file)]
    except (zipfile.BadZipFile, tarfile.TarError) as error:
        raise UnexpectedAnswer(f"{archive} is not a whole archive: {error}") from error
    chosen = tuple(place for place in found if split is None or place.split == split)
    if not chosen:
        which = "images" if split is None else f"images of the split {split}"
        raise UnexpectedAnswer(f"{archive} has no {which}", hint="PNGs are read, DICOM is not")
    shown = {place.category for place in found}
    return Index(chosen, tuple(category for category in CATEGORIES if category in shown))


def _places(opened: zipfile.ZipFile, file: BinaryIO) -> Iterator[Place]:
    splits = _splits_of_manifest(opened)
    for member in opened.infolist():
        path = PurePosixPath(member.filename)
        if path.suffix not in (".png", ".tar"):
            continue
        if member.compress_type != zipfile.ZIP_STORED:
            raise UnexpectedAnswer("the archive was compressed anew", hint="download it again")
        offset = _data_offset(member, file)
        if path.suffix == ".tar":
            yield from _places_of_shard(file, offset)
        else:
            above = path.parts[0]
            split = above if above in SPLITS else splits.get(member.filename)
            category = _category(path.parent.name)
            yield Place(member.filename, offset, member.file_size, category, split)


def _places_of_shard(file: BinaryIO, offset: int) -> Iterator[Place]:
    """WebDataset: a sample's PNG, then its JSON; the slices beside it are passed over."""
    file.seek(offset)
    pngs: dict[str, tarfile.TarInfo] = {}
    with tarfile.open(fileobj=file, mode="r:") as shard:
        for member in shard:
            sample, _, kind = member.name.partition(".")
            if kind == "png":
                pngs[sample] = member
            elif kind == "json":
                content = shard.extractfile(member)
                assert content is not None, "a JSON member is a file"
                said = json.load(content)
                png = pngs.pop(sample)
                category = _category(said.get("category"))
                yield Place(png.name, png.offset_data, png.size, category, said.get("split"))


def _data_offset(member: zipfile.ZipInfo, file: BinaryIO) -> int:
    file.seek(member.header_offset)
    header = file.read(_LOCAL_HEADER_BYTES)
    behind = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    return member.header_offset + _LOCAL_HEADER_BYTES + behind


def _splits_of_manifest(opened: zipfile.ZipFile) -> dict[str, str]:
    """The split of each file in the layout *folders*."""
    if "manifest.csv" not in opened.namelist():
        return {}
    rows = csv.DictReader(io.StringIO(opened.read("manifest.csv").decode()))
    return {row["file"]: row["split"] for row in rows if row["split"]}


def _category(name: str | None) -> Category | None:
    return next((category for category in CATEGORIES if category == name), None)
