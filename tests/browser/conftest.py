"""The console in headless Chromium, before the whole embedded stack.

``make test-all`` sets ``LESIONGAN_TEST_BROWSER``; without it these tests are skipped.
"""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.console import PATIENCE_SECONDS, Console
from tests.e2e.api import Api
from tests.e2e.conftest import (  # noqa: F401 - fixtures
    Stack,
    api,
    gan,
    phantoms,
    preprocessed,
    raw,
    small_training,
    stack,
    started,
)

#: The first that is there; ``LESIONGAN_CHROMIUM`` names another.
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WORKERS_SECONDS = 420.0
#: No sandbox: tests may run as root, and see no page but ours. The rest keeps it from calling out.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    ours = [item for item in items if here in item.path.parents]
    for item in ours:
        # The first waits for the stack, whose workers load torch.
        item.add_marker(pytest.mark.timeout(600))
        if not os.environ.get("LESIONGAN_TEST_BROWSER"):
            item.add_marker(pytest.mark.skip(reason="needs a browser: make test-all"))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A browser for all tests; each has a context of its own."""
    found = os.environ.get("LESIONGAN_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), "")
    assert found, "there is no Chromium: install Debian's package chromium"
    expect.set_options(timeout=1000 * PATIENCE_SECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        yield browser
        browser.close()


#: Makes a context; its options are Playwright's.
Opener = Callable[..., Console]


@pytest.fixture
def opener(chromium: Browser, stack: Stack) -> Iterator[Opener]:
    """See :data:`Opener`. A page that complains of anything fails its test."""
    made: list[Console] = []

    def opened(**options: object) -> Console:
        context = chromium.new_context(**options)  # type: ignore[arg-type]
        made.append(Console(stack.description["url"], stack.description["key"], context))
        return made[-1]

    yield opened
    for console in made:
        console.context.close()
    assert not [complaint for console in made for complaint in console.complaints]


@pytest.fixture(scope="session", autouse=True)
def _workers(stack: Stack) -> None:
    """Pages are looked at once all workers are there: on a busy machine torch takes its time."""
    deadline = time.monotonic() + WORKERS_SECONDS
    while not all(queue["workers"] for queue in stack.api.json("/status")["queues"]):
        assert time.monotonic() < deadline, "the workers do not start"
        time.sleep(0.5)


@pytest.fixture
def console(opener: Opener) -> Console:
    """An ordinary window."""
    return opener()


@pytest.fixture
def page(console: Console) -> Page:
    """A signed-in page."""
    return console.sign_in()


#: Starts a training of the name, too long to end by itself, and returns its running job.
StartTraining = Callable[[str], str]
LONG = 100_000


@pytest.fixture
def start_training(api: Api, preprocessed: str) -> Iterator[StartTraining]:
    """See :data:`StartTraining`. Whatever becomes of the test, the next one finds a free worker."""
    started: list[str] = []

    def start(name: str) -> str:
        seldom = {"checkpoint_every": LONG, "preview_every": 10, "watchdog": False}
        body = small_training(preprocessed, steps=LONG, name=name, **seldom)
        started.append(str(api.post("/gans", body).json()["id"]))
        assert api.wait(started[-1], until=("running",))["status"] == "running"
        return started[-1]

    yield start
    for job in started:
        api.post(f"/jobs/{job}/cancel")
        api.wait(job)
