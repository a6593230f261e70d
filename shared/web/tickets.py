"""The console's cookie: which session a request carries, and whether the console itself sent it.

A browser adds its cookies to whatever any page makes it send. ``SameSite=Strict`` keeps other sites
out, but not pages on other ports of the same host, such as a neighbour's notebook. So work is done
only for requests with a header that no page of another origin can set: browsers ask first, with a
CORS preflight, and nothing here answers one.
"""

from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.types import Scope

from shared.errors import Forbidden

COOKIE = "lesiongan_session"
#: Set by the console's own scripts.
CONFIRMATION = "X-LesionGAN-Console"
#: What ``Sec-Fetch-Site`` says where no other page has a part in it.
_OWN = frozenset({"same-origin", "none"})
READING = frozenset({"GET", "HEAD"})


@dataclass(frozen=True)
class Ticket:
    """A session's secret, and whether the console's own script sent the request."""

    secret: str
    confirmed: bool


def session_secret(scope: Scope) -> str | None:
    """What the request's cookie holds."""
    cookie: SimpleCookie = SimpleCookie()
    try:
        cookie.load(_header(scope, b"cookie"))
    except CookieError:
        return None
    found = cookie.get(COOKIE)
    return None if found is None or not found.value else found.value


def ticket_of(scope: Scope) -> Ticket | None:
    """The ticket of a call of the API.

    Raises :class:`Forbidden` for one that a page of another origin sent, and for one that would
    change something without :data:`CONFIRMATION`.
    """
    secret = session_secret(scope)
    if secret is None:
        return None
    site = _header(scope, b"sec-fetch-site")
    if (site and site not in _OWN) or not _is_own_origin(scope):
        raise Forbidden("a session of the console serves the console's own pages only")
    confirmed = _header(scope, CONFIRMATION.lower().encode()) != ""
    if not confirmed and scope["method"] not in READING:
        raise Forbidden(f"with a session, a request that changes something has {CONFIRMATION}: 1")
    return Ticket(secret, confirmed)


def _is_own_origin(scope: Scope) -> bool:
    """Whether ``Origin``, where there is one, is the host that was asked."""
    origin = _header(scope, b"origin")
    return not origin or urlsplit(origin).netloc.lower() == _header(scope, b"host").lower()


def _header(scope: Scope, name: bytes) -> str:
    values = (value for given, value in scope["headers"] if given == name)
    return next(values, b"").decode("latin-1")
