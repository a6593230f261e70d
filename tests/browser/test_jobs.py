"""What runs now, the list of jobs, and one job: live, cancelled and retried in the browser."""

import json

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import LONG, StartTraining
from tests.browser.console import Console, make_key, until
from tests.e2e.api import Api

#: What a script in the page could try: its status.
CANCEL = """async (job) => {
  const headers = {"X-LesionGAN-Console": "1"};
  return (await fetch(`/jobs/${job}/cancel`, {method: "POST", headers})).status;
}"""


#: Follows a job, and writes down what it hears.
FOLLOW = """async () => {
  const { follow } = await import("/console/static/follow.js");
  window.heard = [];
  const hear = (data) => window.heard.push(data);
  follow("job_1", { metric: hear, log: hear, completed: hear });
}"""


def event(name: str, data: str, event_id: int) -> str:
    return f"id: {event_id}\nevent: {name}\ndata: {json.dumps(data)}\n\n"


COMPLETED = 'event: completed\ndata: "the end"\n\n'


def test_what_runs_is_live_and_can_be_cancelled(
    page: Page, api: Api, start_training: StartTraining
) -> None:
    job = start_training("a long one")
    card = page.locator(f"[data-job={job}]")
    expect(card.get_by_role("heading")).to_contain_text("a long one")
    bar = card.get_by_role("progressbar")
    expect(bar).to_have_attribute("max", str(LONG))
    before = float(bar.get_attribute("value") or 0)
    until(
        page,
        "([job, before]) => document.querySelector(`[data-job=${job}] progress`).value > before",
        [job, before],
    )
    expect(card.locator(".eta")).to_contain_text("to go")

    card.get_by_role("button", name="Cancel").click()
    expect(card).to_be_hidden()
    assert api.wait(job)["status"] == "cancelled"


def test_events_come_by_the_cookie(page: Page, api: Api, start_training: StartTraining) -> None:
    with page.expect_request("**/events") as caught:
        start_training("streamed")
    assert caught.value.headers.get("authorization") is None
    answer = caught.value.response()
    assert answer is not None
    assert answer.headers["content-type"].startswith("text/event-stream")


def test_a_job_is_followed_past_answers_that_are_no_events(page: Page, console: Console) -> None:
    first, second = event("metric", "1st", 1), event("log", "2nd", 2)
    bodies = iter(["", first + second, "", first + second + event("log", "3rd", 3) + COMPLETED])

    def answer(route: Route) -> None:
        body = next(bodies)
        route.fulfill(status=200 if body else 503, content_type="text/event-stream", body=body)

    page.route("**/jobs/job_1/events", answer)
    page.evaluate(FOLLOW)
    until(page, "window.heard.includes('the end')")
    assert page.evaluate("window.heard") == ["1st", "2nd", "3rd", "the end"]
    assert all("503" in complaint for complaint in console.complaints)
    console.complaints.clear()


def test_queues_workers_devices_and_disk(page: Page) -> None:
    for queue in ("preprocessing", "gan-train", "gan-sample", "classification", "interactive"):
        row = page.locator("#queues tbody tr", has=page.get_by_text(queue, exact=True))
        expect(row.locator("td").first).to_have_text("1")
    expect(page.locator("#machine")).to_contain_text("free of")
    expect(page.locator("#machine")).to_contain_text("worker-gan-train")


def test_a_job_is_cancelled_and_retried_from_the_list(
    page: Page, console: Console, api: Api, start_training: StartTraining
) -> None:
    job = start_training("from the list")
    page.goto(f"{console.url}/console/jobs")
    row = page.locator(f"tr[data-job={job}]")
    row.get_by_role("button", name="Cancel").click()
    expect(row.locator(".status")).to_have_text("cancelled")
    row.get_by_role("button", name="Retry").click()
    expect(row.locator(".status")).to_have_text("running")
    row.get_by_role("button", name="Cancel").click()
    expect(row.locator(".status")).to_have_text("cancelled")

    page.get_by_label("Status").select_option("failed")
    expect(row).to_be_hidden()
    assert page.url.endswith("status=failed")


def test_one_job_shows_its_events_and_its_input(
    page: Page, console: Console, api: Api, start_training: StartTraining
) -> None:
    job = start_training("one job")
    page.goto(f"{console.url}/console/jobs/{job}")
    expect(page.get_by_role("heading", level=1)).to_contain_text("one job")
    expect(page.locator("#events li").first).to_contain_text("critic_loss")
    expect(page.locator("#input")).to_contain_text(f'"steps": {LONG}')
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#job .status")).to_have_text("cancelled")


def test_a_key_that_may_read_cannot_cancel(
    console: Console, api: Api, start_training: StartTraining
) -> None:
    job = start_training("not yours")
    page = console.sign_in(make_key(api, "read")["key"])
    button = page.locator(f"[data-job={job}]").get_by_role("button", name="Cancel")
    expect(button).to_be_disabled()

    assert page.evaluate(CANCEL, job) == 403
    console.complaints.clear()


def test_a_job_that_is_not_there_says_so(page: Page, console: Console) -> None:
    page.goto(f"{console.url}/console/jobs/job_{'0' * 24}")

    expect(page.get_by_role("alert")).to_contain_text("no job")
    console.complaints.clear()
