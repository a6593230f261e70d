"""The header ``Prefer`` (RFC 7240): what a client would like, if it can be had."""

import re
from urllib.request import parse_http_list

MAX_WAIT_SECONDS = 60.0
_SECONDS = re.compile(r'\s*("?)([0-9]{1,9})\1\s*')


def wait_seconds(lines: list[str]) -> float | None:
    """How long the client would wait, at most ``MAX_WAIT_SECONDS``; None where it does not say.

    Names are of any case, values may be quoted, and of several the first counts.
    """
    for preference in parse_http_list(", ".join(lines)):
        for part in preference.split(";"):
            name, _, value = part.partition("=")
            given = _SECONDS.fullmatch(value)
            if name.strip().lower() == "wait" and given is not None:
                return min(float(given[2]), MAX_WAIT_SECONDS)
    return None
