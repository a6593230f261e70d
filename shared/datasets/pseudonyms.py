"""Patients become pseudonyms before anything of them is stored."""

import hashlib
import hmac
import re

#: 128 bits: no two patients of any installation collide by chance.
DIGITS = 32


def pseudonym(patient: str | None, secret: str) -> str | None:
    """HMAC-SHA256 of a patient's identifier under the installation's key; None stays None.

    Equal within an installation, so that splits and withdrawals find all of a patient's images;
    not to be reversed, nor linked between installations, without the key.
    """
    if patient is None:
        return None
    return _digest(patient.strip(), secret)


def _digest(patient: str, secret: str) -> str:
    return hmac.new(secret.encode(), patient.encode(), hashlib.sha256).hexdigest()[:DIGITS]


#: A set that was downloaded and taken in again names its patients by pseudonyms of pseudonyms.
GENERATIONS = 3


def all_pseudonyms(patient: str, secret: str) -> list[str]:
    """Every pseudonym under which images of a patient may lie, the first taken in first.

    ``patient`` is the identifier as in the source, or a pseudonym that a manifest shows.
    """
    given = patient.strip()
    first = given if re.fullmatch(f"[0-9a-f]{{{DIGITS}}}", given) else _digest(given, secret)
    found = [first]
    while len(found) < GENERATIONS:
        found.append(_digest(found[-1], secret))
    return found
