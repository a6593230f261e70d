"""Names are text: whatever a person writes into a free field runs nowhere."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.console import Console, make_key
from tests.e2e.api import Api
from tests.e2e.conftest import small_training

#: Names of several attempts each, which would set ``window.owned`` in a page that took one for
#: markup: of an element, an attribute, an address, a title, a template.
ATTACKS = (
    "javascript:window.owned=1 <img src=x onerror='window.owned=1'>",
    "{{constructor.constructor('window.owned=1')()}} <script>window.owned=1</script>",
    '"><svg onload=window.owned=1> </title><script>window.owned=1</script>',
)
PAGES = (
    "/",
    "/console/datasets",
    "/console/gans",
    "/console/experiments",
    "/console/classify",
    "/console/generate",
    "/console/jobs",
)


@pytest.fixture(scope="module", params=ATTACKS)
def attack(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def look(page: Page, console: Console, addresses: list[str]) -> None:
    """Every page, with time for a picture's handler to run."""
    for address in addresses:
        page.goto(f"{console.url}{address}")
        page.wait_for_load_state("load")
        page.wait_for_timeout(700)
        assert page.evaluate("window.owned") is None, address


def test_names_of_data_sets_models_and_experiments(
    page: Page, console: Console, api: Api, raw: str, preprocessed: str, attack: str
) -> None:
    made = api.ended(
        api.post("/preprocess", {"dataset": raw, "size": 32, "context_mm": 11.0, "name": attack})
    )
    training = small_training(preprocessed, steps=2, name=attack)
    gan = api.ended(api.post("/gans", training))
    trained = {"datasets": [preprocessed], "architecture": "small_cnn", "steps": 2, "name": attack}
    api.ended(api.post("/classifiers", trained))
    arms = {"arms": ["none"], "seeds": 1, "classifier": {"steps": 2}}
    experiment = api.ended(
        api.post("/experiments", {"dataset": preprocessed, "name": attack, **arms})
    )

    look(
        page,
        console,
        [
            *PAGES,
            f"/console/datasets/{made['output']['dataset']}",
            f"/console/gans/{gan['output']['gan']}",
            f"/console/experiments/{experiment['output']['experiment']}",
            f"/console/jobs/{gan['id']}",
        ],
    )
    page.goto(f"{console.url}/console/gans/{gan['output']['gan']}")
    expect(page.get_by_role("heading", level=1)).to_have_text(attack)


def test_names_of_keys(console: Console, api: Api, attack: str) -> None:
    page = console.sign_in(make_key(api, "read", name=attack)["key"])

    expect(page.locator(".key-name")).to_have_text(attack)
    assert page.evaluate("window.owned") is None


def test_the_form_and_the_call_that_it_shows(page: Page, console: Console, attack: str) -> None:
    page.goto(f"{console.url}/console/datasets")
    page.get_by_label("Name").fill(attack)
    quoted = attack.replace("'", "'\\''")
    expect(page.locator("#calls pre").first).to_contain_text(f"-F 'name={quoted}'")

    assert page.evaluate("window.owned") is None


def test_an_address(page: Page, console: Console) -> None:
    look(
        page,
        console,
        [
            "/console/jobs?status=%22%3E%3Cscript%3Ewindow.owned=1%3C/script%3E",
            "/console/gans/%3Cimg%20src=x%20onerror=window.owned=1%3E",
            "/console/generate?gan=%3Cscript%3Ewindow.owned=1%3C/script%3E",
        ],
    )
    console.complaints.clear()  # there is no such GAN
