"""``/docs``: it loads nothing from elsewhere, for labs have servers without internet."""

import base64
import hashlib
import re
from pathlib import Path

import fastapi_offline
from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

STATIC = "/static-offline-docs"
_FILES = Path(fastapi_offline.__file__).parent / "static"
_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)
#: The bundle draws its icons from data addresses, and asks this server alone.
_POLICY = (
    "default-src 'none'; script-src 'self' {hashes}; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def add_documentation(app: FastAPI) -> None:
    """Serve a page that documents ``app``, under a policy that knows its one script by its hash."""
    page = get_swagger_ui_html(
        openapi_url=str(app.openapi_url),
        title=app.title,
        swagger_js_url=f"{STATIC}/swagger-ui-bundle.js",
        swagger_css_url=f"{STATIC}/swagger-ui.css",
        swagger_favicon_url=f"{STATIC}/favicon.png",
    )
    content = bytes(page.body)
    headers = {"Content-Security-Policy": _policy(content.decode())}

    async def get_documentation() -> HTMLResponse:
        return HTMLResponse(content, headers=headers)

    app.add_api_route("/docs", get_documentation, include_in_schema=False)
    app.mount(STATIC, StaticFiles(directory=_FILES), name="documentation")


def _policy(page: str) -> str:
    digests = (hashlib.sha256(script.encode()).digest() for script in _INLINE.findall(page))
    hashes = (f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return _POLICY.format(hashes=" ".join(hashes))
