"""The one OpenAPI document as a page to read, with its script beside it.

The document stands in the page itself: a browser that opens files from a disk fetches nothing.
"""

import shutil
from pathlib import Path
from typing import Any

import fastapi_offline
from sphinx.application import Sphinx

_PARTS = ("swagger-ui.css", "swagger-ui-bundle.js")
_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>LesionGAN: HTTP API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="swagger-ui.css"></head>
<body><noscript>See openapi.json.</noscript>
<div id="api"></div>
<script src="swagger-ui-bundle.js"></script>
<script>
SwaggerUIBundle({dom_id: "#api", docExpansion: "none", supportedSubmitMethods: [], spec: DOCUMENT})
</script></body>
</html>
"""


def _write(app: Sphinx, failed: Exception | None) -> None:
    if failed is not None or app.builder.format != "html":
        return
    folder = Path(app.outdir) / "api"
    folder.mkdir(exist_ok=True)
    document = (Path(app.srcdir) / "openapi.json").read_text(encoding="utf-8")
    inline = document.replace("</", "<\\/")
    (folder / "index.html").write_text(_PAGE.replace("DOCUMENT", inline), encoding="utf-8")
    for part in _PARTS:
        shutil.copy(Path(fastapi_offline.__file__).parent / "static" / part, folder)


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("build-finished", _write)
    return {"version": "1", "parallel_read_safe": True}
