"""What lies below a prefix, as one figure."""

from shared.ids import fingerprint
from shared.storage.port import ObjectStore


def listing_sha256(store: ObjectStore, address: str) -> str | None:
    """SHA-256 over names, sizes and ETags below ``bucket/prefix``; None where nothing lies.

    Another figure means other content. Raises :class:`shared.storage.port.ObjectMissing` where
    there is no such bucket.
    """
    bucket, _, prefix = address.partition("/")
    listed = [[each.key, each.bytes, each.etag] for each in store.list(prefix, bucket=bucket)]
    return fingerprint(listed) if listed else None
