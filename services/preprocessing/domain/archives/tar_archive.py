"""Tar archives, not compressed."""

import tarfile
from collections.abc import Sequence
from typing import IO, Final

from services.preprocessing.domain.archives.buffering import ReadAhead
from services.preprocessing.domain.archives.limits import (
    ArchiveLimits,
    check_unique,
    is_hidden,
    refuse_special,
    safe_name,
)
from shared.errors import BadInput

#: What ``tarfile`` raises on damaged headers, beside its own error.
_DAMAGE: Final = (tarfile.TarError, EOFError, ValueError)

#: A long name or pax header above this is no honest archive's.
_MAX_HEADER_BYTES: Final = 1 << 20


class TarSource:
    """Files of a tar archive, in the order in which they lie."""

    def __init__(self, file: IO[bytes], limits: ArchiveLimits) -> None:
        self._file = file
        self._limits = limits
        files = _list_files(file, limits)
        check_unique([name for name, _, _ in files])
        self._places = {name: (offset, size) for name, offset, size in files if not is_hidden(name)}
        self._ordinals = {name: index for index, name in enumerate(self._places, start=1)}
        self._names = tuple(self._places)

    def names(self) -> Sequence[str]:
        return self._names

    def read(self, name: str) -> bytes:
        offset, size_bytes = self._places[name]
        self._limits.check_member(size_bytes, self._ordinals[name])
        self._file.seek(offset)
        content = self._file.read(size_bytes)
        if len(content) != size_bytes:
            raise _damaged()
        return content


def _damaged() -> BadInput:
    return BadInput("The tar archive is truncated or damaged; please send it again.")


def _list_files(file: IO[bytes], limits: ArchiveLimits) -> list[tuple[str, int, int]]:
    """Name, place and size of each file; of members without number, no more is held."""
    files: list[tuple[str, int, int]] = []
    members = expanded_bytes = 0
    headers = ReadAhead(file, max_read_bytes=_MAX_HEADER_BYTES)
    headers.seek(0)
    try:
        with tarfile.open(fileobj=headers, mode="r:") as archive:
            while (member := archive.next()) is not None:
                _check_kind(member)
                members += 1
                expanded_bytes += member.size
                limits.check_count(members)
                limits.check_expanded(expanded_bytes)
                if not member.isdir():
                    files.append((safe_name(member.name), member.offset_data, member.size))
                archive.members.clear()  # type: ignore[attr-defined] # it would keep them all
            _check_end(headers, archive.offset)
    except _DAMAGE as error:
        raise _damaged() from error
    return files


def _check_end(file: IO[bytes], offset: int) -> None:
    """``tarfile`` takes a cut between two members, or a damaged header, for the end: we do not."""
    file.seek(offset)
    if file.read(tarfile.BLOCKSIZE) != tarfile.NUL * tarfile.BLOCKSIZE:
        raise _damaged()


def _check_kind(member: tarfile.TarInfo) -> None:
    if member.issym():
        raise refuse_special("symbolic link")
    if member.islnk():
        raise refuse_special("hard link")
    if member.issparse() or not (member.isreg() or member.isdir()):
        raise refuse_special("device or other special file")
    # Folders too: a climbing folder shows what the archive is for. "./" is the root itself.
    if member.name not in (".", ""):
        safe_name(member.name)
