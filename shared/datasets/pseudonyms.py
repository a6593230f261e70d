"""Patients become pseudonyms before anything of them is stored."""

import hashlib
import hmac

#: 128 bits: no two patients of any installation collide by chance.
DIGITS = 32


def pseudonym(patient: str | None, secret: str) -> str | None:
    """HMAC-SHA256 of a patient's identifier under the installation's key; None stays None.

    Equal within an installation, so that splits and withdrawals find all of a patient's images;
    not to be reversed, nor linked between installations, without the key.
    """
    if patient is None:
        return None
    digest = hmac.new(secret.encode(), patient.strip().encode(), hashlib.sha256)
    return digest.hexdigest()[:DIGITS]
