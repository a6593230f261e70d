"""Browsers that signed in to the console: what opens a session, what it may do, what ends it."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, update

from lesiongan.contracts.keys import Scope
from services.gateway.console.pages_api import PAGES
from shared.db.engine import Sessions
from shared.db.tables import AuditRow, KeyRow, SessionRow, SignInLinkRow
from shared.web.auth import hashed
from shared.web.tickets import CONFIRMATION, COOKIE
from tests.integration.conftest import KeyMaker

CONFIRMED = {CONFIRMATION: "1"}
JOB = f"job_{'0' * 24}"

#: A browser that signed in with a key of this scope.
Browser = Callable[..., httpx.Client]


@pytest.fixture
def browser(base_url: str, make_headers: KeyMaker) -> Iterator[Browser]:
    """See :data:`Browser`."""
    made: list[httpx.Client] = []

    def signed_in(scope: Scope = "submit") -> httpx.Client:
        client = httpx.Client(base_url=base_url, timeout=30, trust_env=False)
        made.append(client)
        assert client.post("/console/session", headers=make_headers(scope)).status_code == 204
        return client

    yield signed_in
    for client in made:
        client.close()


def change(sessions: Sessions, table: Any, **members: Any) -> None:
    """Change all rows of a table."""
    with sessions() as session:
        session.execute(update(table).values(**members))
        session.commit()


def test_the_cookie_is_kept_from_scripts_and_other_sites(
    anonymous: httpx.Client, make_headers: KeyMaker, sessions: Sessions
) -> None:
    answer = anonymous.post("/console/session", headers=make_headers("read"))
    anonymous.cookies.clear()
    cookie = answer.headers["set-cookie"]

    assert {"HttpOnly", "Path=/", "SameSite=strict"} <= set(cookie.split("; "))
    assert "Max-Age=43200" in cookie
    secret = answer.cookies[COOKIE]
    with sessions() as session:
        assert session.scalars(select(SessionRow.sha256)).all() == [hashed(secret)]


def test_behind_https_the_cookie_stays_there(
    anonymous: httpx.Client, make_headers: KeyMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    from services.app import app  # noqa: PLC0415 - the process's own, once it runs

    settings = app.state.web.settings.model_copy(update={"public_url": "https://lab.example"})
    monkeypatch.setitem(app.state.web.__dict__, "settings", settings)
    answer = anonymous.post("/console/session", headers=make_headers("read"))
    anonymous.cookies.clear()

    assert "Secure" in answer.headers["set-cookie"].split("; ")


def test_a_wrong_key_opens_no_session(anonymous: httpx.Client) -> None:
    answer = anonymous.post("/console/session", headers={"Authorization": "Bearer lg_wrong"})

    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


def test_a_session_reads_and_works_as_its_key_may(browser: Browser) -> None:
    assert browser("read").get("/jobs").status_code == 200
    assert browser("submit").post(f"/jobs/{JOB}/cancel", headers=CONFIRMED).status_code == 404
    refused = browser("read").post(f"/jobs/{JOB}/cancel", headers=CONFIRMED)
    assert refused.status_code == 403
    assert "submit" in refused.json()["detail"]
    assert browser("submit").get("/keys", headers=CONFIRMED).status_code == 403
    assert browser("admin").get("/keys", headers=CONFIRMED).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        (CONFIRMED, 404),
        ({**CONFIRMED, "Sec-Fetch-Site": "same-origin"}, 404),
        ({**CONFIRMED, "Sec-Fetch-Site": "same-site"}, 403),
        ({**CONFIRMED, "Sec-Fetch-Site": "cross-site"}, 403),
        ({**CONFIRMED, "Origin": "http://127.0.0.1:1"}, 403),
        ({**CONFIRMED, "Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 403),
    ],
    ids=str,
)
def test_other_pages_cannot_work_with_a_session(
    browser: Browser, headers: dict[str, str], status: int
) -> None:
    answer = browser("admin").post(f"/jobs/{JOB}/cancel", headers=headers)

    assert answer.status_code == status, answer.text


def test_the_consoles_own_origin_may(browser: Browser, base_url: str) -> None:
    headers = {**CONFIRMED, "Origin": base_url}
    assert browser("submit").post(f"/jobs/{JOB}/cancel", headers=headers).status_code == 404


def test_a_get_that_makes_a_job_is_no_reading(browser: Browser) -> None:
    """Else a picture's address on a neighbour's page would make images."""
    client = browser("submit")

    assert client.get("/generate?category=liver&n=1").status_code == 403
    assert client.get("/generate?category=liver&n=1", headers=CONFIRMED).status_code == 409


def test_pages_of_other_origins_may_not_even_read(browser: Browser) -> None:
    answer = browser("read").get("/jobs", headers={"Sec-Fetch-Site": "same-site"})

    assert answer.status_code == 403


def test_no_preflight_is_answered(anonymous: httpx.Client) -> None:
    asked = {
        "Origin": "http://127.0.0.1:1",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": CONFIRMATION,
    }
    answer = anonymous.options("/console/session", headers=asked)

    assert answer.status_code == 405
    assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_a_key_beside_a_cookie_counts_alone(browser: Browser, make_headers: KeyMaker) -> None:
    client = browser("admin")

    assert client.get("/keys", headers=make_headers("read")).status_code == 403


def test_signing_out_ends_the_session_itself(browser: Browser) -> None:
    client = browser("read")
    kept = client.cookies[COOKIE]
    answer = client.delete("/console/session", headers=CONFIRMED)

    assert answer.status_code == 204
    assert COOKIE not in client.cookies
    assert client.get("/jobs", headers={"Cookie": f"{COOKIE}={kept}"}).status_code == 401


def test_a_session_ends_in_time(browser: Browser, sessions: Sessions) -> None:
    client = browser("read")
    change(sessions, SessionRow, expires_at=datetime.now(UTC) - timedelta(seconds=1))

    assert client.get("/jobs").status_code == 401
    assert client.get("/console/session").json() == {"signed_in": False}


@pytest.mark.parametrize("member", ["revoked_at", "expires_at"])
def test_a_session_ends_with_its_key(browser: Browser, sessions: Sessions, member: str) -> None:
    client = browser("read")
    change(sessions, KeyRow, **{member: datetime.now(UTC) - timedelta(seconds=1)})

    assert client.get("/jobs").status_code == 401
    assert client.get("/", follow_redirects=False).status_code == 303


@pytest.mark.parametrize("way", ["revoke", "rotate"])
def test_revoking_or_rotating_signs_out(
    browser: Browser, client: httpx.Client, sessions: Sessions, way: str
) -> None:
    visitor = browser("read")
    with sessions() as session:
        key_id = session.scalars(select(SessionRow.key_id)).one()
    if way == "revoke":
        assert client.delete(f"/keys/{key_id}").status_code == 204
    else:
        assert client.post(f"/keys/{key_id}/rotate").status_code == 200

    assert visitor.get("/jobs").status_code == 401
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(SessionRow)) == 0


def link_secret(answer: httpx.Response) -> str:
    """What stands after ``#``."""
    assert answer.status_code == 201, answer.text
    found = re.fullmatch(r".*/console/sign-in#(lgl_[0-9a-f]{40})", answer.json()["url"])
    assert found is not None, answer.json()
    return found[1]


def test_a_link_signs_in_once(base_url: str, make_headers: KeyMaker, sessions: Sessions) -> None:
    with httpx.Client(base_url=base_url, trust_env=False) as client:
        secret = link_secret(client.post("/console/links", headers=make_headers("submit")))
        with sessions() as session:
            assert session.scalars(select(SignInLinkRow.sha256)).all() == [hashed(secret)]
        used = {"X-LesionGAN-Link": secret}

        assert client.post("/console/session/link", headers=used).status_code == 204
        assert client.post(f"/jobs/{JOB}/cancel", headers=CONFIRMED).status_code == 404
        again = client.post("/console/session/link", headers=used)
        assert again.status_code == 401
        assert "set-cookie" not in again.headers


def test_an_old_link_and_the_link_of_a_revoked_key_are_refused(
    anonymous: httpx.Client, make_headers: KeyMaker, sessions: Sessions
) -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    for table, member in ((SignInLinkRow, "expires_at"), (KeyRow, "revoked_at")):
        secret = link_secret(anonymous.post("/console/links", headers=make_headers("read")))
        change(sessions, table, **{member: past})
        answer = anonymous.post("/console/session/link", headers={"X-LesionGAN-Link": secret})
        assert answer.status_code == 401, member


def test_what_a_session_does_is_in_the_audit(browser: Browser, sessions: Sessions) -> None:
    browser("submit").post(f"/jobs/{JOB}/cancel", headers=CONFIRMED)
    with sessions() as session:
        key_id = session.scalars(select(SessionRow.key_id)).one()
        noted = select(AuditRow.operation).where(AuditRow.key_id == key_id)
        found: set[str] = set()
        while found != {"sign_in", "cancel_job"}:
            found = set(session.scalars(noted))
            session.rollback()


@pytest.mark.parametrize("path", [page.path for page in PAGES])
def test_a_page_needs_a_session_and_runs_no_inline_script(
    anonymous: httpx.Client, browser: Browser, path: str
) -> None:
    address = re.sub(r"\{\w+\}", "x", path)
    refused = anonymous.get(address)
    assert refused.status_code == 303
    assert refused.headers["location"].startswith("/console/sign-in")

    page = browser("read").get(address)
    assert page.status_code == 200
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.findall(r"<script(?![^>]*\bsrc=)", page.text)
    assert not re.findall(r"<style|\sstyle=|\son\w+=|javascript:", page.text)
    assert page.headers["cache-control"] == "no-store"


def test_a_name_of_a_key_is_text_in_a_page(browser: Browser, sessions: Sessions) -> None:
    client = browser("read")
    change(sessions, KeyRow, name="<img src=x onerror=alert(1)>")

    page = client.get("/").text

    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert "<img" not in page


def test_signing_in_leads_back(anonymous: httpx.Client) -> None:
    answer = anonymous.get("/console/jobs?status=failed&kind=a%26b")

    assert answer.headers["location"] == (
        "/console/sign-in?next=/console/jobs%3Fstatus%3Dfailed%26kind%3Da%2526b"
    )


def test_files_of_the_console_are_there(anonymous: httpx.Client) -> None:
    script = anonymous.get("/console/static/api.js")
    style = anonymous.get("/console/static/console.css")

    assert script.headers["content-type"].startswith("text/javascript")
    assert style.headers["content-type"].startswith("text/css")
    assert anonymous.get("/console/static/../pages_api.py").status_code == 404


def test_tokens_subjects_get_no_session(
    anonymous: httpx.Client, make_headers: KeyMaker, sessions: Sessions
) -> None:
    """Their scopes are in each token, and not in their row."""
    headers = make_headers("read")
    change(sessions, KeyRow, issuer="https://issuer.example")

    assert anonymous.post("/console/session", headers=headers).status_code == 409
    assert anonymous.post("/console/links", headers=headers).status_code == 409
