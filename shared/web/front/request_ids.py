"""``X-Request-Id``: the client's if it is well formed, else one of ours."""

import re

from starlette.types import Scope

from shared.ids import new_id

HEADER = b"x-request-id"
#: What a log, a header and a database take as it is.
_WELL_FORMED = re.compile(rb"[A-Za-z0-9._:/=+-]{8,128}")


def request_id(scope: Scope) -> str:
    """The id of a request, and of all that is said of it."""
    for name, value in scope["headers"]:
        if name == HEADER and _WELL_FORMED.fullmatch(value):
            return str(value, "ascii")
    return new_id("req")
