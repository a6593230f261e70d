"""Into the console by key and by link, and out of it."""

from urllib.parse import quote

from playwright.sync_api import expect

from shared.web.tickets import COOKIE
from tests.browser.console import Console, make_key
from tests.e2e.api import Api


def test_a_key_signs_in_and_is_nowhere_in_the_page(console: Console) -> None:
    page = console.sign_in()

    expect(page.get_by_role("heading", name="What runs now")).to_be_visible()
    assert console.key not in page.content()
    assert page.evaluate("document.cookie") == ""
    assert (
        page.evaluate("Object.keys(localStorage).length + Object.keys(sessionStorage).length") == 0
    )
    cookie = next(each for each in console.context.cookies() if each["name"] == COOKIE)
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Strict"


def test_a_wrong_key_says_so(console: Console) -> None:
    page = console.page()
    page.goto(f"{console.url}/")
    page.get_by_label("API key").fill("lg_wrong")
    page.keyboard.press("Enter")

    expect(page.get_by_role("alert")).to_contain_text("not known")
    console.complaints.clear()  # the browser notes the 401


def test_a_link_signs_in_once(console: Console, api: Api) -> None:
    url = api.post("/console/links").json()["url"]
    page = console.page()
    page.goto(url)
    page.wait_for_url(f"{console.url}/")
    expect(page.get_by_role("heading", name="What runs now")).to_be_visible()

    console.context.clear_cookies()
    page.goto("about:blank")
    page.goto(url)
    expect(page.get_by_role("alert")).to_contain_text("ask for a new one")
    assert "#" not in page.url, "the secret does not stay in the address"
    console.complaints.clear()


def test_signing_in_leads_to_the_page_that_was_asked_for(console: Console) -> None:
    page = console.page()
    page.goto(f"{console.url}/console/jobs?status=failed")
    page.get_by_label("API key").fill(console.key)
    page.keyboard.press("Enter")

    page.wait_for_url("**/console/jobs?status=failed")
    expect(page.get_by_label("Status")).to_have_value("failed")


def test_a_next_page_elsewhere_is_not_gone_to(console: Console) -> None:
    strangers = ("https://example.org/", "//example.org/", "/\\example.org", "javascript:alert(1)")
    for elsewhere in strangers:
        page = console.page()
        page.goto(f"{console.url}/console/sign-in?next={quote(elsewhere)}")
        page.get_by_label("API key").fill(console.key)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{console.url}/")
        page.close()
        console.context.clear_cookies()


def test_signing_out(console: Console) -> None:
    page = console.sign_in()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/console/sign-in")

    page.goto(f"{console.url}/")
    expect(page.get_by_label("API key")).to_be_visible()
    console.complaints.clear()  # what the page was asking for just then is refused


def test_a_revoked_key_signs_out_its_browsers(console: Console, api: Api) -> None:
    key = make_key(api, "read")
    page = console.sign_in(key["key"])
    api.http.delete(f"/keys/{key['id']}").raise_for_status()

    page.wait_for_url("**/console/sign-in")
    console.complaints.clear()
