"""The documentation as a site: complete, without a broken link, and without a network."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from deploy.site.diagrams import FOLDER, blocks, picture_of

ROOT = Path(__file__).parents[3]
DOCS, SITE = ROOT / "docs", ROOT / "deploy" / "site"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-c", str(SITE), "-W", "--keep-going", "-q"]
    done = subprocess.run(
        [*command, str(DOCS), str(folder)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_every_page_is_in_the_contents_and_built(built: Path) -> None:
    contents = yaml.safe_load((SITE / "toc.yml").read_text())
    listed = {each["file"] for part in contents["subtrees"] for each in part["entries"]}
    written = {page.stem for page in DOCS.glob("*.md")} - {"index"}
    assert listed == written | {"decisions/index"}
    for page in DOCS.rglob("*.md"):
        assert (built / page.relative_to(DOCS)).with_suffix(".html").is_file(), page


def test_pages_load_nothing_from_elsewhere(built: Path) -> None:
    loaded = re.compile(r'<(?:script|img|iframe|link)\b[^>]*?(?:src|href)="(https?:)?//[^"]*"')
    pages = list(built.rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        found = loaded.search(page.read_text(encoding="utf-8"))
        assert found is None, f"{page.name}: {found}"


def test_the_api_is_a_page_of_its_own(built: Path) -> None:
    page = (built / "api" / "index.html").read_text(encoding="utf-8")
    assert '"/generate"' in page
    for part in re.findall(r'(?:src|href)="([\w.-]+)"', page):
        assert (built / "api" / part).stat().st_size > 10_000


def test_every_diagram_is_drawn_and_no_other(built: Path) -> None:
    drawn = {FOLDER / each.name for each in (DOCS / FOLDER).iterdir()}
    assert drawn == {picture_of(source) for source in blocks(DOCS)}
    assert "mermaid" not in (built / "jobs.html").read_text(encoding="utf-8")


def test_every_decision_is_listed() -> None:
    index = (DOCS / "decisions" / "index.md").read_text(encoding="utf-8")
    for decision in (DOCS / "decisions").glob("0*.md"):
        title = decision.read_text(encoding="utf-8").splitlines()[0].partition(". ")[2]
        assert f"[{title}]({decision.name})" in index
