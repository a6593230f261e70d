"""Identifiers carry their kind: ``job_…``, ``ds_…``, ``gan_…``."""

import hashlib
import json
import secrets
from typing import Any

HEX_DIGITS = 24


def new_id(kind: str) -> str:
    """A random id: 96 bits, so that two installations never share one by chance."""
    return f"{kind}_{secrets.token_hex(HEX_DIGITS // 2)}"


def content_id(kind: str, made_from: dict[str, Any]) -> str:
    """The id of what ``made_from`` describes: equal descriptions, equal ids."""
    return f"{kind}_{fingerprint(made_from)[:HEX_DIGITS]}"


def fingerprint(value: Any) -> str:
    """SHA-256 (hex) of a JSON value's canonical form."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def sha256_of(data: bytes) -> str:
    """SHA-256 (hex) of bytes."""
    return hashlib.sha256(data).hexdigest()
