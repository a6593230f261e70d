"""The console's pages: frames that its scripts fill over the public API."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from lesiongan.contracts.categories import CATEGORIES
from shared.db.tables import KeyRow
from shared.web.auth import INCLUDED

STATIC = "/console/static"
#: No script or style stands in a page, and none comes from elsewhere. Blobs are pictures that the
#: page has drawn, or fetched and keeps.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True)
class Visitor:
    """Whose session it is, for the page's head."""

    key_name: str
    scopes: tuple[str, ...]

    @classmethod
    def of(cls, row: KeyRow) -> "Visitor":
        """The holder of a key."""
        held = frozenset().union(*(INCLUDED[scope] for scope in row.scopes))
        return cls(row.name, tuple(scope for scope in INCLUDED if scope in held))


def rendered(template: str, *, visitor: Visitor | None, **given: Any) -> HTMLResponse:
    """A page. Whatever a person named is escaped."""
    page = _environment().get_template(f"{template}.html.jinja")
    content = page.render(
        static=STATIC, visitor=visitor, page=template, categories=CATEGORIES, **given
    )
    return HTMLResponse(content, headers={"Content-Security-Policy": POLICY})


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("services.gateway.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
