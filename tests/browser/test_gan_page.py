"""A GAN's page: a training live, what its watchdog did, and what the samples come close to."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import StartTraining
from tests.browser.console import Console, until
from tests.e2e.api import Api
from tests.e2e.conftest import small_training


def test_a_gan_that_trains_is_live(
    page: Page, console: Console, api: Api, preprocessed: str, start_training: StartTraining
) -> None:
    job = start_training("watched")
    found = next(each for each in api.json("/gans")["items"] if each["job"] == job)
    assert found["dataset"] == preprocessed
    page.goto(f"{console.url}/console/gans/{found['id']}")

    losses = page.get_by_role("img", name="Losses")
    expect(losses).to_be_visible(timeout=60_000)
    before = losses.get_attribute("aria-label")
    expect(page.get_by_role("img", name="Losses")).not_to_have_attribute(
        "aria-label", before or "", timeout=60_000
    )
    until(page, "Number(document.querySelector('#step').max) >= 2", seconds=120)
    page.locator("#step").focus()
    page.keyboard.press("Home")
    expect(page.locator("#step-text")).to_contain_text("preview 1 of")
    until(page, "document.querySelector('#grid').naturalWidth > 0")
    expect(page.locator("#beside img").first).to_be_visible()
    expect(page.locator("#beside canvas")).to_have_count(8)

    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#about .status")).to_have_text("cancelled", timeout=60_000)


def test_what_the_watchdog_did_is_shown(
    page: Page, console: Console, api: Api, preprocessed: str
) -> None:
    """A training that no rate can mend: nothing holds the critic's gradient, and it leaps."""
    wild = {"learning_rate": 0.1, "gradient_penalty": 0.0, "evaluate_every": 2}
    training = small_training(preprocessed, steps=4, name="a wild one", max_rollbacks=2, **wild)
    job = api.wait(str(api.post("/gans", training).json()["id"]))
    assert job["status"] == "failed"
    found = next(each for each in api.json("/gans")["items"] if each["job"] == job["id"])
    page.goto(f"{console.url}/console/gans/{found['id']}")

    events = page.locator("#events .watchdog")
    expect(events).to_have_count(2)
    for event, number in ((events.nth(1), 1), (events.nth(0), 2)):  # the newest comes first
        expect(event).to_contain_text("the watchdog took the training back from step 2 to 0")
        expect(event).to_contain_text(f"learning rate {0.1 / 2**number:.3g}")
    expect(page.get_by_text("Nothing happened")).to_be_hidden()
    expect(page.get_by_role("img", name="Rollbacks: rollbacks 2")).to_be_visible()
    expect(page.locator("#about")).to_contain_text(job["error"]["detail"])


def test_a_gans_nearest_training_images_are_shown(page: Page, console: Console, gan: str) -> None:
    page.goto(f"{console.url}/console/gans/{gan}")
    expect(page.get_by_role("heading", name="Nearest training images")).to_be_visible()
    expect(page.locator("#pairs-text")).to_contain_text("Authenticity")
    until(page, "document.querySelector('#pairs').naturalWidth > 0")
