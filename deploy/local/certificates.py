"""One self-signed certificate, with which SeaweedFS' parts recognise each other over gRPC.

SeaweedFS checks gRPC callers by mutual TLS or not at all, and an unchecked filer tells every user
of the machine what it stores. One certificate is authority, server and client at once: nobody
else holds its key. X.509 as in RFC 5280, ECDSA on P-256 with SHA-256 as in RFC 5758.
"""

from __future__ import annotations

import secrets

from Crypto.Hash import SHA256
from Crypto.IO import PEM
from Crypto.PublicKey import ECC
from Crypto.Signature import DSS
from Crypto.Util.asn1 import (
    DerBitString,
    DerBoolean,
    DerInteger,
    DerObjectId,
    DerOctetString,
    DerSequence,
    DerSetOf,
)

ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2"
COMMON_NAME = "2.5.4.3"
BASIC_CONSTRAINTS = "2.5.29.19"
UTF8_STRING, UTC_TIME, GENERALIZED_TIME, EXPLICIT_0, EXPLICIT_3 = 0x0C, 0x17, 0x18, 0xA0, 0xA3
# RFC 5280 4.1.2.5: this date says that the certificate has no end.
VALID_FROM, VALID_TO = b"240101000000Z", b"99991231235959Z"


def make_certificate(common_name: str) -> tuple[str, str]:
    """A new self-signed certificate and its private key, both PEM."""
    key = ECC.generate(curve="P-256")
    algorithm = _sequence(DerObjectId(ECDSA_WITH_SHA256).encode())
    name = _sequence(_set(_sequence(DerObjectId(COMMON_NAME).encode(), _text(common_name))))
    authority = DerOctetString(_sequence(DerBoolean(value=True).encode())).encode()
    extension = _sequence(
        DerObjectId(BASIC_CONSTRAINTS).encode(), DerBoolean(value=True).encode(), authority
    )
    body = _sequence(
        _tagged(EXPLICIT_0, DerInteger(2).encode()),  # version 3
        DerInteger(secrets.randbits(120) + 1).encode(),
        algorithm,
        name,
        _sequence(_tagged(UTC_TIME, VALID_FROM), _tagged(GENERALIZED_TIME, VALID_TO)),
        name,
        key.public_key().export_key(format="DER"),
        _tagged(EXPLICIT_3, _sequence(extension)),
    )
    signature = DSS.new(key, "fips-186-3", encoding="der").sign(SHA256.new(body))
    certificate = _sequence(body, algorithm, DerBitString(signature).encode())
    return PEM.encode(certificate, "CERTIFICATE"), str(key.export_key(format="PEM"))


def _sequence(*parts: bytes) -> bytes:
    return bytes(DerSequence(parts).encode())


def _set(part: bytes) -> bytes:
    return bytes(DerSetOf([part]).encode())


def _text(value: str) -> bytes:
    return _tagged(UTF8_STRING, value.encode())


def _tagged(tag: int, content: bytes) -> bytes:
    """DER with a tag that the library has no class for; content shorter than 64 KiB."""
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes(2, "big").lstrip(b"\0")
    return bytes([tag, 0x80 | len(length)]) + length + content
