"""Uploaded archives (ZIP, tar, tar.gz) as a :class:`Source` of files: read safely, in order."""

from services.preprocessing.domain.archives.limits import ArchiveLimits, Source, safe_name
from services.preprocessing.domain.archives.open_archive import open_archive

__all__ = ["ArchiveLimits", "Source", "open_archive", "safe_name"]
