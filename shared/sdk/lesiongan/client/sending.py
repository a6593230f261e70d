"""What an upload sends: an archive as it lies, or a folder as a ZIP that is made on the way."""

import io
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from lesiongan.client.call import Files
from lesiongan.contracts.categories import CATEGORIES
from lesiongan.contracts.datasets import Layout
from lesiongan.errors import ClientError

#: Called with the bytes of content sent so far and the total.
OnSent = Callable[[int, int], None]
#: The same folder is the same ZIP, and so the same data set, whenever it is sent.
EPOCH = (1980, 1, 1, 0, 0, 0)
_PIECE_BYTES = 1 << 18
_DICOM_MAGIC = b"DICM"


class Source(Protocol):
    """What is uploaded."""

    @property
    def layout(self) -> Layout: ...

    def files(self, on_progress: OnSent | None) -> Files:
        """The multipart field ``file``, opened anew for each attempt."""


def source_of(path: Path, layout: Layout | None) -> Source:
    """A folder or an archive to upload; the layout of a folder can be seen.

    Raises :class:`ClientError` where there is neither, or no layout to be seen.
    """
    if path.is_dir():
        return Folder(path, layout or layout_of(path))
    if not path.is_file():
        raise ClientError(
            f"there is no file or folder {path}", hint="give a .zip, .tar, .tar.gz or a folder"
        )
    if layout is None:
        raise ClientError(
            f"the layout of {path.name} is not known",
            hint="say how its files lie: deeplesion, dicom or folders",
        )
    return Archive(path, layout)


@dataclass(frozen=True)
class Archive:
    """A .zip, .tar or .tar.gz, read from disk as it is sent."""

    path: Path
    layout: Layout

    def files(self, on_progress: OnSent | None) -> Files:
        """See :class:`Source`."""

        def opened(stack: ExitStack) -> dict[str, Any]:
            file = stack.enter_context(_CountedFile(self.path, on_progress))
            return {"file": (self.path.name, file, "application/octet-stream")}

        return opened


@dataclass(frozen=True)
class Folder:
    """A folder, sent as a ZIP that is never on a disk; hidden files and links are left out."""

    path: Path
    layout: Layout

    def files(self, on_progress: OnSent | None) -> Files:
        """See :class:`Source`."""

        def opened(_: ExitStack) -> dict[str, Any]:
            members = self.members()
            total = sum(file.stat().st_size for file, _ in members)
            pieces = _Pieces(zip_pieces(members, total, on_progress))
            return {"file": (f"{self.path.resolve().name}.zip", pieces, "application/zip")}

        return opened

    def members(self) -> list[tuple[Path, str]]:
        """Files and their names in the ZIP, in an order that depends on the names alone."""
        below = _below(self.path)
        if self.layout == "folders" and not _is_laid_out(self.path):
            return [(file, f"images/{name}") for file, name in below]
        return below


def layout_of(folder: Path) -> Layout:
    """The layout that a folder has; raises :class:`ClientError` where none can be seen."""
    if (folder / "DL_info.csv").is_file():
        return "deeplesion"
    if _is_laid_out(folder) or any((folder / category).is_dir() for category in CATEGORIES):
        return "folders"
    if any(_is_dicom(file) for file, _ in _below(folder)[:20]):
        return "dicom"
    raise ClientError(
        f"the layout of {folder} is not to be seen",
        hint="it has no DL_info.csv, no folder named after a category and no DICOM files",
    )


def zip_pieces(
    members: Iterable[tuple[Path, str]], total: int, on_progress: OnSent | None
) -> Iterator[bytes]:
    """A ZIP of files, stored and without their times, in pieces; needs no memory for it."""
    sink = _Sink()
    done = 0
    with zipfile.ZipFile(cast("BinaryIO", sink), "w", zipfile.ZIP_STORED) as archive:
        for path, name in members:
            with (
                path.open("rb") as file,
                archive.open(zipfile.ZipInfo(name, EPOCH), "w", force_zip64=True) as member,
            ):
                while piece := file.read(_PIECE_BYTES):
                    member.write(piece)
                    done += len(piece)
                    if on_progress is not None:
                        on_progress(done, total)
                    yield sink.take()
            yield sink.take()
    yield sink.take()


def _below(folder: Path) -> list[tuple[Path, str]]:
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths = (Path(place) / name for name in names if not name.startswith("."))
        found += [(path, path.relative_to(folder).as_posix()) for path in paths if _is_own(path)]
    return sorted(found, key=lambda member: member[1])


def _is_own(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _is_laid_out(folder: Path) -> bool:
    """Whether the folder is what the layout *folders* has inside its archives."""
    return (folder / "images").is_dir() or (folder / "manifest.csv").is_file()


def _is_dicom(path: Path) -> bool:
    """Whether a file has DICOM's preamble (PS3.10, 7.1)."""
    with path.open("rb") as file:
        return file.read(132)[128:] == _DICOM_MAGIC


class _CountedFile(io.FileIO):
    """A file that says how much of it was read."""

    def __init__(self, path: Path, on_progress: OnSent | None) -> None:
        super().__init__(path)
        self._total = path.stat().st_size
        self._on_progress = on_progress

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(-1 if size is None else size)
        if self._on_progress is not None and data:
            self._on_progress(self.tell(), self._total)
        return data


class _Pieces:
    """Pieces as a file that can only be read on: httpx sends it in chunks."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._held = bytearray()

    def read(self, size: int) -> bytes:
        while len(self._held) < size:
            piece = next(self._pieces, None)
            if piece is None:
                break
            self._held += piece
        taken = bytes(self._held[:size])
        del self._held[:size]
        return taken


class _Sink:
    """A file that cannot be sought, whose bytes are taken out as they come."""

    def __init__(self) -> None:
        self._held = bytearray()

    def write(self, data: bytes) -> int:
        self._held += data
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def take(self) -> bytes:
        taken = bytes(self._held)
        self._held.clear()
        return taken
