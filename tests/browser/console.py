"""A browser's window before the console, as a person has it."""

import time
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import BrowserContext, Page

from tests.e2e.api import Api

#: How long a page is waited for: it may have to share the machine.
PATIENCE_SECONDS = 30.0


@dataclass
class Console:
    """A browser context, and what its pages complained of."""

    url: str
    key: str
    context: BrowserContext
    complaints: list[str] = field(default_factory=list)

    def page(self) -> Page:
        """A page whose faults are remembered."""
        page = self.context.new_page()
        page.set_default_timeout(1000 * PATIENCE_SECONDS)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on(
            "console",
            lambda said: self.complaints.append(said.text) if said.type == "error" else None,
        )
        return page

    def sign_in(self, key: str | None = None) -> Page:
        """A page that shows what runs now."""
        page = self.page()
        page.goto(f"{self.url}/")
        page.get_by_label("API key").fill(key or self.key)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{self.url}/")
        return page


def make_key(api: Api, *scopes: str, name: str = "a test's") -> dict[str, str]:
    """A new key, with its secret."""
    answer = api.post("/keys", {"name": name, "scopes": list(scopes)})
    made: dict[str, str] = answer.json()
    return made


def until(page: Page, expression: str, argument: Any = None, *, seconds: float = 60.0) -> None:
    """Wait for a JavaScript expression, or function of the argument, to be true.

    From here: Playwright's own waiting evaluates in the page, which the pages' policy forbids.
    """
    deadline = time.monotonic() + seconds
    while not page.evaluate(expression, argument):
        assert time.monotonic() < deadline, f"not so after {seconds:.0f} s: {expression}"
        page.wait_for_timeout(50)
