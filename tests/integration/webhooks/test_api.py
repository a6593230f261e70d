"""Webhooks over HTTP: whose they are, their secrets, and what is refused."""

from collections.abc import Callable, Iterator
from ipaddress import ip_network
from typing import Any

import httpx
import pytest

from services.app import app
from shared.db.engine import Sessions
from shared.web.auth import make_key
from shared.webhooks.registry import MAX_WEBHOOKS
from tests.integration.conftest import KeyMaker
from tests.integration.shared.test_http import is_problem
from tests.integration.webhooks.builders import delivering, wait_until
from tests.integration.webhooks.receiver import Receiver

URL = "https://1.1.1.1/hook"
Headers = dict[str, str]


@pytest.fixture(autouse=True)
def _loopback_is_allowed(base_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    allowed = (ip_network("127.0.0.0/8"),)
    monkeypatch.setattr(app.state.web.settings, "webhook_allowed_networks", allowed)


@pytest.fixture
def mine(make_headers: KeyMaker) -> Headers:
    return make_headers("submit")


def add(http: httpx.Client, headers: Headers, **members: Any) -> dict[str, Any]:
    answer = http.post("/webhooks", json={"url": URL, **members}, headers=headers)
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"/webhooks/{body['id']}"
    return body


def test_a_secret_is_shown_once(anonymous: httpx.Client, mine: Headers) -> None:
    made = add(anonymous, mine, name="ours")
    secret = made.pop("secret")
    assert secret.startswith("whsec_")
    assert made["events"] == ["job.succeeded", "job.failed", "job.cancelled"]
    assert (made["name"], made["kinds"], made["jobs"]) == ("ours", [], "own")
    shown = anonymous.get(f"/webhooks/{made['id']}", headers=mine)
    assert shown.json() == made
    listed = anonymous.get("/webhooks", headers=mine)
    assert listed.json()["items"] == [made]
    assert secret not in shown.text + listed.text


def test_each_key_has_its_own_and_an_admin_all(
    anonymous: httpx.Client, mine: Headers, make_headers: KeyMaker
) -> None:
    other, admin = make_headers("submit"), make_headers("admin")
    made = add(anonymous, mine)
    here = f"/webhooks/{made['id']}"
    assert anonymous.get("/webhooks", headers=other).json()["items"] == []
    assert len(anonymous.get("/webhooks", headers=admin).json()["items"]) == 1
    calls = [
        ("GET", ""),
        ("GET", "/deliveries"),
        ("DELETE", ""),
        *(("POST", f"/{act}") for act in ("rotate", "enable", "test", "deliveries/x/redeliver")),
    ]
    for method, path in calls:
        is_problem(anonymous.request(method, here + path, headers=other), 404)
    assert anonymous.delete(here, headers=admin).status_code == 204
    is_problem(anonymous.get(here, headers=mine), 404)


def test_only_an_admin_hears_of_all_jobs(
    anonymous: httpx.Client, mine: Headers, make_headers: KeyMaker
) -> None:
    body = {"url": URL, "jobs": "all"}
    is_problem(anonymous.post("/webhooks", json=body, headers=mine), 403)
    assert add(anonymous, make_headers("admin"), jobs="all")["jobs"] == "all"


@pytest.mark.parametrize(
    "body",
    [
        {"url": "http://10.0.0.1/"},
        {"url": "https://169.254.169.254/latest/meta-data/"},
        {"url": "https://[fd00:ec2::254]/"},
        {"url": "http://192.168.0.1:8000/"},
        {"url": "https://user:pass@1.1.1.1/"},
        {"url": "ftp://1.1.1.1/"},
        {"url": "https://no-such-name.invalid/"},
        {"url": "x" * 2001},
        {"url": URL, "events": []},
        {"url": URL, "events": ["job.started"]},
        {"url": URL, "kinds": [""]},
        {"url": URL, "secret": "mine"},
        {},
    ],
)
def test_what_is_refused(anonymous: httpx.Client, mine: Headers, body: dict[str, Any]) -> None:
    is_problem(anonymous.post("/webhooks", json=body, headers=mine), 422)


def test_a_key_has_so_many_and_no_more(
    anonymous: httpx.Client, mine: Headers, make_headers: KeyMaker
) -> None:
    for _ in range(MAX_WEBHOOKS):
        add(anonymous, mine)
    refused = anonymous.post("/webhooks", json={"url": URL}, headers=mine)
    assert str(MAX_WEBHOOKS) in is_problem(refused, 409)["detail"]
    add(anonymous, make_headers("submit"))


@pytest.fixture
def sent(
    sessions: Sessions, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, base_url: str
) -> Iterator[Receiver]:
    """A receiver, while a deliverer of the same installation works."""
    secret = app.state.web.settings.secret.get_secret_value()
    monkeypatch.setattr("tests.integration.webhooks.builders.INSTALLATION", secret)
    with delivering(sessions):
        yield receiver


def ended(
    http: httpx.Client, headers: Headers, webhook: str, attempts: int = 1
) -> Callable[[], bool]:
    def look() -> bool:
        listed = http.get(f"/webhooks/{webhook}/deliveries", headers=headers).json()["items"]
        return bool(listed) and len(listed[0]["attempts"]) == attempts

    return look


def test_a_ping_a_rotation_and_a_redelivery(
    anonymous: httpx.Client, mine: Headers, sent: Receiver
) -> None:
    made = add(anonymous, mine, url=sent.url)
    here = f"/webhooks/{made['id']}"
    pinged = anonymous.post(f"{here}/test", headers=mine)
    assert pinged.status_code == 202, pinged.text
    delivery = pinged.json()
    assert (delivery["event"], delivery["status"], delivery["job"]) == ("ping", "pending", None)
    (first,) = sent.wait_for(1)
    assert first.event == {**first.event, "type": "ping", "data": {"webhook": made["id"]}}
    assert first.signed_with(made["secret"])
    wait_until(ended(anonymous, mine, made["id"]), "the attempt is not listed")

    rotated = anonymous.post(f"{here}/rotate", headers=mine).json()
    assert rotated["secret"] != made["secret"]
    assert rotated["old_secret_valid_until"] is not None
    again = anonymous.post(f"{here}/deliveries/{delivery['id']}/redeliver", headers=mine)
    assert again.status_code == 202
    assert again.json()["status"] == "pending"
    second = sent.wait_for(2)[1]
    assert second.id == first.id == delivery["id"]
    assert second.body == first.body
    assert second.signed_with(rotated["secret"])
    assert second.signed_with(made["secret"])
    wait_until(ended(anonymous, mine, made["id"], 2), "the second attempt is not listed")
    listed = anonymous.get(f"{here}/deliveries", headers=mine, params={"status": "delivered"})
    assert [item["id"] for item in listed.json()["items"]] == [delivery["id"]]
    pending = anonymous.get(f"{here}/deliveries", headers=mine, params={"status": "pending"})
    assert pending.json()["items"] == []
    is_problem(anonymous.post(f"{here}/deliveries/msg_none/redeliver", headers=mine), 404)


def test_a_disabled_webhook_says_so_until_it_is_enabled(
    anonymous: httpx.Client, mine: Headers, sent: Receiver
) -> None:
    made = add(anonymous, mine, url=sent.url)
    here = f"/webhooks/{made['id']}"
    sent.statuses = [410]
    delivery = anonymous.post(f"{here}/test", headers=mine).json()
    wait_until(ended(anonymous, mine, made["id"]), "the attempt is not listed")
    shown = anonymous.get(here, headers=mine).json()
    assert shown["disabled_at"] is not None
    assert "410" in shown["disabled_reason"]
    redeliver = f"{here}/deliveries/{delivery['id']}/redeliver"
    for path in (f"{here}/test", redeliver):
        assert "enable" in is_problem(anonymous.post(path, headers=mine), 409)["detail"]
    assert anonymous.post(f"{here}/enable", headers=mine).json()["disabled_at"] is None
    assert anonymous.post(redeliver, headers=mine).status_code == 202
    sent.wait_for(2)


def test_an_unknown_key_adds_nothing(anonymous: httpx.Client) -> None:
    headers = {"Authorization": f"Bearer {make_key()}"}
    is_problem(anonymous.post("/webhooks", json={"url": URL}, headers=headers), 401)
