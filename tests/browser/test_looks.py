"""Every page for everyone: contrast, names and roles (axe-core), the keyboard, phones, the dark."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener
from tests.browser.console import Console

PHONE = {"width": 390, "height": 844}
#: WCAG 2.2, levels A and AA: what axe can judge, contrast among it.
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
PAGES = (
    "/",
    "/console/datasets",
    "/console/datasets/{preprocessed}",
    "/console/datasets/{raw}/images/0",
    "/console/gans",
    "/console/gans/{gan}",
    "/console/generate",
    "/console/experiments",
    "/console/classify",
    "/console/jobs",
)
#: A link that the keyboard stands on has an outline: none is invisible.
FOCUSED = """() => {
  const {activeElement: node} = document;
  const style = getComputedStyle(node);
  return {tag: node.tagName, name: node.textContent.trim() || node.name || node.id,
          outline: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0};
}"""

each_page = pytest.mark.parametrize("path", PAGES)


@pytest.fixture
def address(path: str, raw: str, preprocessed: str, gan: str) -> str:
    return path.format(raw=raw, preprocessed=preprocessed, gan=gan)


def opened(console: Console, address: str) -> Page:
    """The page, signed in, with what it asks for first."""
    page = console.sign_in()
    page.goto(f"{console.url}{address}")
    page.wait_for_load_state("load")
    expect(page.locator("#calls pre").first).to_be_visible()
    page.wait_for_timeout(1000)
    return page


def violations(page: Page) -> list[str]:
    """What axe objects to: rule and element."""
    found: dict[str, Any] = Axe().run(page, options=RULES).response
    return [
        f"{each['id']}: {node['html'][:120]} {node.get('failureSummary', '')}"
        for each in found["violations"]
        for node in each["nodes"]
    ]


@each_page
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(opener: Opener, address: str, scheme: str) -> None:
    page = opened(opener(color_scheme=scheme), address)

    assert violations(page) == []
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 23, 26)"}[scheme]


def test_axe_finds_nothing_where_one_signs_in(opener: Opener) -> None:
    console = opener()
    page = console.page()
    page.goto(f"{console.url}/console/sign-in")
    expect(page.get_by_label("API key")).to_be_focused()

    assert violations(page) == []


@each_page
def test_a_phone_scrolls_one_way(opener: Opener, address: str) -> None:
    page = opened(opener(viewport=PHONE, is_mobile=True, has_touch=True), address)

    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@each_page
def test_the_keyboard_reaches_all_and_shows_where_it_is(console: Console, address: str) -> None:
    page = opened(console, address)
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUSED)["name"] == "Skip to the content"
    wanted = page.evaluate(
        "[...document.querySelectorAll('a[href], button, input, select')]"
        ".filter((node) => !node.disabled && node.checkVisibility()).length"
    )
    seen = 1
    while seen < min(wanted, 60):
        page.keyboard.press("Tab")
        there = page.evaluate(FOCUSED)
        assert there["tag"] != "BODY", f"the keyboard fell off after {seen}"
        assert there["outline"], there
        seen += 1


def test_skipping_leads_to_the_content(console: Console) -> None:
    page = console.sign_in()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.locator("#main")).to_be_focused()


def test_what_is_served_is_what_lies_there(console: Console) -> None:
    """No script of a page comes from elsewhere, whatever it shows."""
    page = console.page()
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    page.goto(f"{console.url}/console/sign-in")
    page.get_by_label("API key").fill(console.key)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{console.url}/")
    page.goto(f"{console.url}/console/datasets")
    page.wait_for_load_state("load")

    assert hosts == {console.url.split("/")[2]}
