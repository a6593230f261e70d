"""What lies below a prefix: its name as one figure, and its size."""

from dataclasses import dataclass

from shared.ids import fingerprint
from shared.storage.port import ObjectStore


@dataclass(frozen=True)
class Content:
    """``sha256`` is that of names, sizes and ETags: another figure means other content."""

    sha256: str
    bytes: int


def place_of(address: str) -> tuple[str, str]:
    """Bucket and prefix; the prefix is a folder, so ``study-old`` is not below ``study``."""
    bucket, _, prefix = address.partition("/")
    return bucket, prefix if prefix == "" or prefix.endswith("/") else prefix + "/"


def listing_of(store: ObjectStore, address: str) -> Content | None:
    """What lies below ``bucket/prefix``; None where nothing lies.

    Raises :class:`shared.storage.port.ObjectMissing` where there is no such bucket.
    """
    bucket, prefix = place_of(address)
    listed = list(store.list(prefix, bucket=bucket))
    if not listed:
        return None
    digest = fingerprint([[each.key, each.bytes, each.etag] for each in listed])
    return Content(digest, sum(each.bytes for each in listed))
