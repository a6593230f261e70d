"""Mermaid blocks become the pictures that were drawn of them.

A repository's web page draws the blocks itself. A site that works without a network cannot: the
drawing library is a script of 3.5 MB. So each block's picture lies beside the pages, named by what
it was drawn of; ``python -m deploy.site.draw`` draws those that are missing.
"""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import SphinxError

FOLDER = Path("images") / "diagrams"
_BLOCK = re.compile(r"^```mermaid\n(.*?)^```", re.DOTALL | re.MULTILINE)


class NotDrawn(SphinxError):
    category = "Diagram"


def blocks(docs: Path) -> Iterator[str]:
    """The source of every diagram in the pages."""
    for page in sorted(docs.rglob("*.md")):
        yield from _BLOCK.findall(page.read_text(encoding="utf-8"))


def picture_of(source: str) -> Path:
    """Where the picture of a diagram lies, beneath the pages' folder."""
    digest = hashlib.sha256(source.strip().encode()).hexdigest()
    return FOLDER / f"{digest[:16]}.svg"


def _draw(app: Sphinx, document: nodes.document) -> None:
    for block in list(document.findall(nodes.literal_block)):
        if block.get("language") != "mermaid":
            continue
        source = block.astext()
        picture = picture_of(source)
        if not (Path(app.srcdir) / picture).is_file():
            raise NotDrawn(f"no {picture}: python -m deploy.site.draw makes it")
        image = nodes.image(uri=f"/{picture.as_posix()}", alt=source, classes=["diagram"])
        block.replace_self(image)


def setup(app: Sphinx) -> dict[str, Any]:
    # Before Sphinx collects the images of a page.
    app.connect("doctree-read", _draw, priority=100)
    return {"version": "1", "parallel_read_safe": True}
