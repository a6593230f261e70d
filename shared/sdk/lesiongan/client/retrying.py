"""When a request may be sent again, and after how long."""

import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

#: The server refused before it began.
REFUSED = frozenset({429})
#: The server, or the one behind it, was away: it may have begun.
AWAY = frozenset({502, 503, 504})
#: A server that asks for a longer pause than this gets no second request.
MAX_PAUSE_SECONDS = 30.0
_FIRST_PAUSE_SECONDS = 0.25
_MAX_BACKOFF_SECONDS = 4.0
#: Failures before the first byte was sent.
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


def may_resend(outcome: httpx.Response | httpx.TransportError, *, repeatable: bool) -> bool:
    """Whether sending again is safe and may help.

    ``repeatable``: the request has the same effect however often it is sent. Others are only sent
    again when the server cannot have seen them.
    """
    if isinstance(outcome, httpx.Response):
        return outcome.status_code in REFUSED or (repeatable and outcome.status_code in AWAY)
    if isinstance(outcome, (httpx.UnsupportedProtocol, httpx.LocalProtocolError)):
        return False
    return repeatable or isinstance(outcome, _NOT_SENT)


def may_have_begun(outcome: httpx.Response | httpx.TransportError) -> bool:
    """Whether the server may have done what was asked, though nobody heard of it."""
    if isinstance(outcome, httpx.Response):
        return outcome.status_code in AWAY
    return not isinstance(outcome, _NOT_SENT)


def pause_seconds(outcome: httpx.Response | httpx.TransportError, attempt: int) -> float:
    """Seconds until the next attempt: what the server asked for, or doubling, with jitter."""
    if isinstance(outcome, httpx.Response):
        asked = retry_after_seconds(outcome)
        if asked is not None:
            return asked
    backoff = min(_MAX_BACKOFF_SECONDS, _FIRST_PAUSE_SECONDS * 2.0**attempt)
    return backoff * random.uniform(0.75, 1.25)  # noqa: S311 - spreads clients, guards nothing


def retry_after_seconds(response: httpx.Response) -> float | None:
    """``Retry-After`` in seconds, from either of its forms (RFC 9110, 10.2.3)."""
    value = response.headers.get("retry-after", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    if when.tzinfo is None:
        return None
    return max(0.0, (when - datetime.now(UTC)).total_seconds())
