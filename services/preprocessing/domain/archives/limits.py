"""What every kind of archive must keep to, and what a reader sees of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final, Protocol

from shared.errors import BadInput

_MIB: Final = 1 << 20
_GIB: Final = 1 << 30


class Source(Protocol):
    """A read-only set of named files: an opened archive, or a prefix in the object store."""

    def names(self) -> Sequence[str]:
        """Regular files, as relative POSIX paths, in the order in which reading is cheapest.

        A file's *ordinal* in every report is its place in this list, counted from 1. Folders,
        dotfiles and ``__MACOSX`` are not in it.
        """
        ...

    def read(self, name: str) -> bytes:
        """The content of one file. Raises BadInput if it is damaged or too large."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveLimits:
    """Bounds on what an archive may expand to.

    The full DeepLesion key slices are 32,120 files and about 9 GB; one 50-megapixel 16-bit image
    is 100 MB raw. PNG data hardly compresses, so a ratio above 200 is no image archive.
    """

    max_files: int = 250_000
    max_expanded_bytes: int = 64 * _GIB
    max_member_bytes: int = 128 * _MIB
    max_ratio: float = 200.0
    #: Below this expanded size the ratio is not judged: a small text file may compress that well.
    ratio_floor_bytes: int = 8 * _MIB

    def check_count(self, files: int) -> None:
        if files > self.max_files:
            raise BadInput(
                f"The archive holds more than {self.max_files:,} files, which is the limit; "
                "send it in parts."
            )

    def check_expanded(self, expanded_bytes: int) -> None:
        if expanded_bytes > self.max_expanded_bytes:
            raise BadInput(
                "The archive expands to more than the limit of "
                f"{format_bytes(self.max_expanded_bytes)}; send it in parts."
            )

    def check_ratio(self, expanded_bytes: int, compressed_bytes: int) -> None:
        if expanded_bytes < self.ratio_floor_bytes:
            return
        if expanded_bytes > self.max_ratio * max(compressed_bytes, 1):
            raise BadInput(
                f"The archive is refused as a compression bomb: a part of it expands more than "
                f"{self.max_ratio:.0f} times."
            )

    def check_member(self, size_bytes: int, ordinal: int) -> None:
        if size_bytes > self.max_member_bytes:
            raise BadInput(
                f"File {ordinal} of the archive is {format_bytes(size_bytes)}; the limit for one "
                f"file is {format_bytes(self.max_member_bytes)}."
            )


def format_bytes(size_bytes: int) -> str:
    """``1536`` → ``1.5 KiB``."""
    size = float(size_bytes)
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.4g} {unit}"
        size /= 1024
    return f"{size:.4g} GiB"


def safe_name(name: str) -> str:
    """The member's path in POSIX form, relative to the archive's root.

    Raises:
        BadInput: the path is absolute, names a drive, or climbs out of the archive.
    """
    posix = name.replace("\\", "/")
    if posix.startswith("/") or (posix[:1].isalpha() and posix[1:2] == ":"):
        raise BadInput(
            "The archive contains an absolute path; only paths inside the archive are allowed."
        )
    parts = [part for part in posix.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise BadInput(
            "The archive contains a path that climbs out of it ('..'); "
            "only paths inside the archive are allowed."
        )
    if not parts or "\0" in posix:
        raise BadInput("The archive contains a file without a valid name.")
    return "/".join(parts)


def is_hidden(name: str) -> bool:
    """Whether a path is a dotfile, in a dot-folder, or macOS's resource fork (``__MACOSX``)."""
    return any(part.startswith(".") or part == "__MACOSX" for part in PurePosixPath(name).parts)


def check_unique(names: Sequence[str]) -> None:
    """Raises BadInput when a path occurs twice: which one is meant is not for us to guess."""
    if len(set(names)) != len(names):
        raise BadInput("The archive contains the same path twice; every file needs its own path.")


def refuse_special(kind: str) -> BadInput:
    return BadInput(f"The archive contains a {kind}; only regular files and folders are allowed.")
