"""Secrets and signatures, as Standard Webhooks 1.0 has them."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta

#: How long the secret before a rotation signs as well.
OVERLAP = timedelta(hours=24)
SECRET_BYTES = 32


def secret_of(installation: str, webhook_id: str, version: int) -> bytes:
    """A webhook's secret: it derives from the installation's, so that no table holds it.

    SHA-512: patients' pseudonyms are HMAC-SHA256 under the same key, of what an uploader chooses.
    """
    name = f"webhook {webhook_id} {version}"
    return hmac.new(installation.encode(), name.encode(), hashlib.sha512).digest()[:SECRET_BYTES]


def valid_secrets(
    installation: str, webhook_id: str, version: int, rotated_at: datetime | None, now: datetime
) -> list[bytes]:
    """The secrets that sign now, the current one first."""
    versions = [version]
    if rotated_at is not None and now < rotated_at + OVERLAP:
        versions.append(version - 1)
    return [secret_of(installation, webhook_id, each) for each in versions]


def shown(secret: bytes) -> str:
    """A secret as receivers are given it."""
    return "whsec_" + base64.b64encode(secret).decode()


def signed_headers(
    secrets: Sequence[bytes], *, message_id: str, timestamp: int, body: bytes
) -> dict[str, str]:
    """The three headers of a message; ``timestamp``: of the attempt, in seconds since 1970."""
    content = f"{message_id}.{timestamp}.".encode() + body
    digests = [hmac.new(secret, content, hashlib.sha256).digest() for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join("v1," + base64.b64encode(d).decode() for d in digests),
    }
