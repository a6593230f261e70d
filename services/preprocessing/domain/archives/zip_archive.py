"""ZIP archives."""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Sequence
from types import TracebackType
from typing import IO, Final, Self

from services.preprocessing.domain.archives.limits import (
    ArchiveLimits,
    check_unique,
    is_hidden,
    refuse_special,
    safe_name,
)
from shared.errors import BadInput

_ENCRYPTED_FLAGS: Final = 0x1 | 0x40
_METHODS: Final = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_LOCAL_HEADER_BYTES: Final = 30
_DIRECTORY_ENTRY: Final = b"PK\x01\x02"

#: What ``zipfile`` raises on damaged content, beside its own error.
_DAMAGE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    ValueError,
)


class ZipSource:
    """Files of a ZIP archive, in the order of their offsets.

    Sizes in a ZIP's directory cannot lie to us: ``zipfile`` stops at the declared size and checks
    the CRC, and members that share compressed data (the quine bomb) are refused.
    """

    def __init__(self, file: IO[bytes], limits: ArchiveLimits) -> None:
        self._limits = limits
        try:
            self._zip = zipfile.ZipFile(_CountedDirectory(file, limits))
        except _DAMAGE as error:
            raise BadInput(
                "The ZIP archive is truncated or damaged; please send it again."
            ) from error
        members = sorted(self._zip.infolist(), key=lambda member: member.header_offset)
        _check_members(members, limits)
        files = [(safe_name(member.filename), member) for member in members]
        check_unique([name for name, member in files if not member.is_dir()])
        self._members = {
            name: member for name, member in files if not member.is_dir() and not is_hidden(name)
        }
        self._ordinals = {name: index for index, name in enumerate(self._members, start=1)}
        self._names = tuple(self._members)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._zip.close()

    def names(self) -> Sequence[str]:
        return self._names

    def read(self, name: str) -> bytes:
        member = self._members[name]
        self._limits.check_member(member.file_size, self._ordinals[name])
        try:
            content = self._zip.read(member)
        except _DAMAGE as error:
            raise _damaged(self._ordinals[name]) from error
        if len(content) != member.file_size:
            raise _damaged(self._ordinals[name])
        return content


class _CountedDirectory(io.BufferedIOBase):
    """A file whose directory is refused, if too long, before ``zipfile`` makes objects of it.

    The number that an archive states may be a lie, and ``zipfile`` does not ask for it: it reads
    the directory as one piece, and takes whatever entries that holds.
    """

    def __init__(self, file: IO[bytes], limits: ArchiveLimits) -> None:
        self._file = file
        self._limits = limits

    def read(self, size: int | None = -1, /) -> bytes:
        content = self._file.read(-1 if size is None else size)
        self._limits.check_count(content.count(_DIRECTORY_ENTRY))
        return content

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True


def _damaged(ordinal: int) -> BadInput:
    return BadInput(
        f"The ZIP archive is damaged at file {ordinal}: its content does not match its checksum; "
        "please send it again."
    )


def _check_members(members: Sequence[zipfile.ZipInfo], limits: ArchiveLimits) -> None:
    """``members`` sorted by offset."""
    limits.check_count(len(members))
    limits.check_expanded(sum(member.file_size for member in members))
    end_of_previous = 0
    for member in members:
        _check_kind(member)
        limits.check_ratio(member.file_size, member.compress_size)
        if member.header_offset < end_of_previous:
            raise BadInput(
                "The archive is refused as a compression bomb: files in it share the same data."
            )
        end_of_previous = member.header_offset + _LOCAL_HEADER_BYTES + member.compress_size


def _check_kind(member: zipfile.ZipInfo) -> None:
    if member.flag_bits & _ENCRYPTED_FLAGS:
        raise BadInput("The ZIP archive is encrypted; please send it without a password.")
    if member.compress_type not in _METHODS:
        raise BadInput(
            "The ZIP archive uses an unusual compression method; please use deflate or store."
        )
    mode = stat.S_IFMT(member.external_attr >> 16)
    if mode == stat.S_IFLNK:
        raise refuse_special("symbolic link")
    if mode not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise refuse_special("device or other special file")
