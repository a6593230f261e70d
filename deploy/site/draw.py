"""Draws the diagrams of the pages that have no picture yet, and removes pictures of none.

``python -m deploy.site.draw mermaid.min.js``: the script is ``dist/mermaid.min.js`` of the npm
package ``mermaid``; Chromium must be installed.
"""

import argparse
import html
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from deploy.site.diagrams import FOLDER, blocks, picture_of

DOCS = Path(__file__).parents[2] / "docs"
_PAGE = """<!doctype html><meta charset="utf-8"><body>{blocks}
<script src="{script}"></script>
<script>mermaid.initialize({{startOnLoad: true, theme: "neutral", htmlLabels: false,
  flowchart: {{htmlLabels: false}}, deterministicIds: true}})</script></body>"""
_DRAWN = re.compile(r"<svg .*?</svg>", re.DOTALL)


def draw(script: Path, sources: list[str]) -> list[str]:
    """An SVG of each source.

    Raises :class:`ValueError` where one cannot be drawn.
    """
    written = "".join(f'<pre class="mermaid">{html.escape(each)}</pre>' for each in sources)
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        page.write_text(_PAGE.format(blocks=written, script=script.resolve().as_uri()))
        drawn = _DRAWN.findall(_rendered(page, profile=Path(folder) / "profile"))
    if len(drawn) != len(sources):
        raise ValueError(f"{len(drawn)} of {len(sources)} diagrams were drawn")
    return [_standalone(svg) for svg in drawn]


def _rendered(page: Path, *, profile: Path) -> str:
    program = shutil.which("chromium") or shutil.which("google-chrome") or "chromium"
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    flags += [f"--user-data-dir={profile}", "--virtual-time-budget=20000", "--dump-dom"]
    done = subprocess.run([program, *flags, page.as_uri()], capture_output=True, check=True)
    return done.stdout.decode()


def _standalone(svg: str) -> str:
    """A file of its own: with a size, since pages show it as an image."""
    found = re.search(r'viewBox="[\d.-]+ [\d.-]+ ([\d.]+) ([\d.]+)"', svg)
    assert found is not None, "Mermaid gives each drawing a view box"
    width, height = (round(float(each)) for each in found.groups())
    svg = svg.replace('width="100%"', f'width="{width}" height="{height}"', 1)
    return svg.replace("<br>", "<br/>") + "\n"


def main(script: Path) -> None:
    """Draw what is missing."""
    wanted = {picture_of(source): source for source in blocks(DOCS)}
    for lying in (DOCS / FOLDER).glob("*.svg"):
        if FOLDER / lying.name not in wanted:
            lying.unlink()
    missing = [picture for picture in wanted if not (DOCS / picture).is_file()]
    for picture, svg in zip(missing, draw(script, [wanted[p] for p in missing]), strict=True):
        (DOCS / picture).parent.mkdir(parents=True, exist_ok=True)
        (DOCS / picture).write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("script", type=Path)
    main(parser.parse_args().script)
