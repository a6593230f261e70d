"""Figures on the pages are those of the reports, to the last digit."""

from playwright.sync_api import Page

from services.classification.report.numbers import percent, points

#: By the page's own module: what it writes of shares, and of differences.
WRITTEN = """async (shares) => {
  const page = document.querySelector("script[type=module]").src;
  const {percent, points} = await import(page.replace(/[^/]*$/, "format.js"));
  return shares.map((share) => [percent(Math.abs(share)), points(share)]);
}"""


def test_halves_are_rounded_as_in_the_report(page: Page) -> None:
    """Accuracies on 16, 32 or 160 images often lie in the middle between two tenths."""
    shares = [n / d for d in (7, 16, 32, 57, 160) for n in range(-d, d + 1)]
    written = page.evaluate(WRITTEN, shares)

    assert written == [[f"{percent(abs(share))} %", points(share)] for share in shares]
