"""Which kind of archive a file is, and its :class:`Source`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from services.preprocessing.domain.archives.buffering import READ_AHEAD_BYTES, ReadAhead
from services.preprocessing.domain.archives.gzip_archive import inflated
from services.preprocessing.domain.archives.limits import ArchiveLimits, Source
from services.preprocessing.domain.archives.tar_archive import TarSource
from services.preprocessing.domain.archives.zip_archive import ZipSource
from shared.errors import BadInput

_TAR_MAGIC_OFFSET = 257


@contextmanager
def open_archive(
    file: BinaryIO, limits: ArchiveLimits | None = None, *, temporary_folder: str | None = None
) -> Iterator[Source]:
    """Opens a ZIP, tar or tar.gz, told apart by content and not by name.

    ``file`` must be seekable and may be a ranged reader: it is read in large sequential pieces
    (ZIP: the directory at the end, then one pass; tar: one pass to list, one to read). It is not
    closed. A tar.gz is inflated once to an unnamed temporary file in ``temporary_folder``, because
    a gzip stream cannot be entered in the middle.

    Raises:
        BadInput: damaged or truncated archive, unknown kind, climbing or absolute paths, links or
            devices, encrypted members, or a limit exceeded.
    """
    limits = limits or ArchiveLimits()
    buffered = ReadAhead(file, max_read_bytes=max(limits.max_member_bytes, READ_AHEAD_BYTES))
    buffered.seek(0)
    head = buffered.read(512)
    buffered.seek(0)
    if head.startswith(b"PK"):
        with ZipSource(buffered, limits) as zip_source:
            yield zip_source
    elif head.startswith(b"\x1f\x8b"):
        with inflated(buffered, limits, temporary_folder) as tar_file:
            yield TarSource(tar_file, limits)
    elif head[_TAR_MAGIC_OFFSET : _TAR_MAGIC_OFFSET + 5] == b"ustar":
        yield TarSource(buffered, limits)
    else:
        raise BadInput("The file is not a ZIP, tar or tar.gz archive, or its beginning is damaged.")
