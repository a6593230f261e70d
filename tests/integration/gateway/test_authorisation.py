"""Who may call what: every route, with every kind of key there is. A new route must be added."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi.routing import iter_route_contexts

from lesiongan.contracts.keys import Scope
from services.app import app
from services.gateway.console.pages_api import PAGES as CONSOLE_PAGES
from shared.db.engine import Sessions
from shared.web.auth import INCLUDED, ensure_key, hashed, make_key
from tests.integration.shared.builders import grey_png

#: Ids of nothing.
IDS = {
    name: f"{kind}_{'0' * 24}"
    for name, kind in {
        "job_id": "job",
        "key_id": "key",
        "webhook_id": "wh",
        "delivery_id": "msg",
        "dataset_id": "ds",
        "gan_id": "gan",
        "classifier_id": "clf",
        "experiment_id": "exp",
    }.items()
}
MANIFEST = {
    "gan": IDS["gan_id"],
    "weights_sha256": "0" * 64,
    "category": "liver",
    "images": [{"index": 0, "seed": 0, "draw": 0, "sha256": "0" * 64}],
}
JSON = {"Content-Type": "application/json"}
PNG = {"content": grey_png(0), "headers": {"Content-Type": "image/png"}}


@dataclass(frozen=True)
class Row:
    """A route's line: the scope it asks for, a request past its validation, and its answer."""

    scope: Scope
    status: int
    query: str = ""
    request: dict[str, Any] = field(default_factory=dict)


def body(**members: Any) -> dict[str, Any]:
    """A request with a JSON body."""
    return {"content": json.dumps(members), "headers": JSON}


TABLE: dict[tuple[str, str], Row] = {
    ("GET", "/jobs"): Row("read", 200),
    ("GET", "/jobs/{job_id}"): Row("read", 404),
    ("GET", "/jobs/{job_id}/result"): Row("read", 404),
    ("GET", "/jobs/{job_id}/events"): Row("read", 404),
    ("POST", "/jobs/{job_id}/cancel"): Row("submit", 404),
    ("POST", "/jobs/{job_id}/retry"): Row("submit", 404),
    ("GET", "/keys"): Row("admin", 200),
    ("POST", "/keys"): Row("admin", 201, request=body(name="n")),
    ("GET", "/keys/{key_id}"): Row("admin", 404),
    ("PATCH", "/keys/{key_id}"): Row("admin", 404, request=body(name="n")),
    ("DELETE", "/keys/{key_id}"): Row("admin", 404),
    ("POST", "/keys/{key_id}/rotate"): Row("admin", 404, request=body(grace_seconds=1)),
    ("GET", "/usage"): Row("admin", 200),
    ("GET", "/audit"): Row("admin", 200),
    ("GET", "/status"): Row("read", 200),
    ("POST", "/console/links"): Row("read", 201),
    ("POST", "/console/session"): Row("read", 204),
    ("DELETE", "/console/session"): Row("read", 204),
    ("GET", "/webhooks"): Row("read", 200),
    ("POST", "/webhooks"): Row("submit", 422, request=body(url="https://127.0.0.1/")),
    ("GET", "/webhooks/{webhook_id}"): Row("read", 404),
    ("DELETE", "/webhooks/{webhook_id}"): Row("submit", 404),
    ("POST", "/webhooks/{webhook_id}/rotate"): Row("submit", 404),
    ("POST", "/webhooks/{webhook_id}/enable"): Row("submit", 404),
    ("POST", "/webhooks/{webhook_id}/test"): Row("submit", 404),
    ("GET", "/webhooks/{webhook_id}/deliveries"): Row("read", 404),
    ("POST", "/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver"): Row("submit", 404),
    ("GET", "/withdrawals"): Row("admin", 200),
    ("POST", "/withdrawals"): Row("admin", 200, request=body(patient="p", dry_run=True)),
    ("GET", "/datasets"): Row("read", 200),
    ("POST", "/datasets"): Row(
        "submit",
        404,
        request=body(name="n", layout="folders", source={"s3": "no-such-bucket/x"}),
    ),
    ("GET", "/datasets/{dataset_id}"): Row("read", 404),
    ("DELETE", "/datasets/{dataset_id}"): Row("submit", 404),
    ("GET", "/datasets/{dataset_id}/images"): Row("read", 404),
    ("GET", "/datasets/{dataset_id}/images/{index}"): Row("read", 404),
    ("GET", "/datasets/{dataset_id}/contact-sheet.png"): Row("read", 404),
    ("GET", "/datasets/{dataset_id}/archive"): Row("read", 404),
    ("GET", "/datasets/{dataset_id}/report"): Row("read", 404),
    ("GET", "/datasets/{dataset_id}/card"): Row("read", 404),
    ("POST", "/preprocess"): Row("submit", 404, request=body(dataset=IDS["dataset_id"])),
    ("POST", "/preprocess/preview"): Row("submit", 200, "?dry_run=true", PNG),
    ("POST", "/augment"): Row("submit", 404, request=body(dataset=IDS["dataset_id"])),
    ("POST", "/augment/preview"): Row("submit", 200, "?dry_run=true", PNG),
    ("GET", "/gans"): Row("read", 200),
    ("POST", "/gans"): Row("submit", 404, request=body(dataset=IDS["dataset_id"])),
    ("GET", "/gans/{gan_id}"): Row("read", 404),
    ("DELETE", "/gans/{gan_id}"): Row("submit", 404),
    ("GET", "/gans/{gan_id}/metrics"): Row("read", 404),
    ("GET", "/gans/{gan_id}/preview.png"): Row("read", 404),
    ("GET", "/gans/{gan_id}/pairs.png"): Row("read", 404),
    ("GET", "/gans/{gan_id}/card"): Row("read", 404),
    ("GET", "/gans/{gan_id}/previews"): Row("read", 404),
    ("GET", "/gans/{gan_id}/weights"): Row("read", 404),
    ("PUT", "/gans/{gan_id}/default"): Row("submit", 404),
    ("GET", "/generate"): Row("submit", 409, "?category=liver&n=1"),
    ("POST", "/generate"): Row("submit", 409, "?category=liver&n=1"),
    ("POST", "/regenerate"): Row("submit", 404, request=body(manifest=MANIFEST, indices=[0])),
    ("GET", "/classifiers"): Row("read", 200),
    ("POST", "/classifiers"): Row("submit", 404, request=body(datasets=[IDS["dataset_id"]])),
    ("GET", "/classifiers/{classifier_id}"): Row("read", 404),
    ("DELETE", "/classifiers/{classifier_id}"): Row("submit", 404),
    ("POST", "/classify"): Row("submit", 404, f"?classifier={IDS['classifier_id']}", PNG),
    ("GET", "/experiments"): Row("read", 200),
    ("POST", "/experiments"): Row("submit", 404, request=body(dataset=IDS["dataset_id"])),
    ("GET", "/experiments/{experiment_id}"): Row("read", 404),
    ("DELETE", "/experiments/{experiment_id}"): Row("submit", 404),
    ("GET", "/experiments/{experiment_id}/report"): Row("read", 404),
    ("GET", "/experiments/{experiment_id}/predictions"): Row("read", 404),
}
#: What answers without a key: nothing of it names a patient, an image, a job or a key.
PUBLIC = {
    ("GET", "/console/sign-in"),
    ("GET", "/console/session"),
    ("POST", "/console/session/link"),
    ("GET", "/console/static"),
    ("GET", "/docs"),
    ("GET", "/openapi.json"),
    ("GET", "/static-offline-docs"),
    ("GET", "/health/live"),
    ("GET", "/health/ready"),
    ("GET", "/metrics"),
}
#: Frames without data. They want a session, not a key, and lead to where one is opened.
PAGES = {("GET", page.path) for page in CONSOLE_PAGES}
each_route = pytest.mark.parametrize(("method", "path"), TABLE, ids=[" ".join(r) for r in TABLE])

Sender = Callable[..., httpx.Response]
KeyMaker = Callable[..., str]


def served() -> set[tuple[str, str]]:
    """Method and path of all that the one app serves, whether or not it is documented."""
    return {
        (method, str(context.path))
        for context in iter_route_contexts(app.routes)
        for method in (context.methods or {"GET"}) - {"HEAD"}
    }


def test_every_route_is_in_the_table() -> None:
    assert served() == set(TABLE) | PUBLIC | PAGES


@pytest.fixture
def send(anonymous: httpx.Client, method: str, path: str) -> Sender:
    """Sends the route's request with a key, or something in place of its body."""
    row = TABLE[method, path]
    address = path.format(**IDS, index=0) + row.query

    def sender(secret: str | None, **instead: Any) -> httpx.Response:
        request = {**row.request, **instead}
        headers = dict(request.pop("headers", {}))
        if secret is not None:
            headers["Authorization"] = f"Bearer {secret}"
        return anonymous.request(method, address, headers=headers, **request)

    return sender


@pytest.fixture
def key(sessions: Sessions) -> KeyMaker:
    """Makes a key; the members are those of its row."""

    def make(*scopes: Scope, **members: Any) -> str:
        secret = make_key()
        with sessions() as session:
            row = ensure_key(session, key=secret, name="a test's", scopes=list(scopes))
            for name, value in members.items():
                setattr(row, name, value)
            session.commit()
        return secret

    return make


def refused_keys(sessions: Sessions, key: KeyMaker) -> dict[str, str | None]:
    """Everything that must not open a door, by what it is."""
    past = datetime.now(UTC) - timedelta(seconds=1)
    once = make_key()
    key("admin", previous_sha256=hashed(once), previous_valid_until=past)
    return {
        "none": None,
        "unknown": make_key(),
        "of another form": "nonsense",
        "revoked": key("admin", revoked_at=past),
        "expired": key("admin", expires_at=past),
        "rotated out": key("admin", sha256=hashed(make_key())),
        "rotated out, and its grace is over": once,
        "a hash": hashed(key("admin")),
    }


@each_route
def test_only_keys_that_are_valid_open_a_route(
    send: Sender, sessions: Sessions, key: KeyMaker
) -> None:
    for what, secret in refused_keys(sessions, key).items():
        response = send(secret)
        assert response.status_code == 401, what
        assert response.headers["www-authenticate"] == "Bearer"


@each_route
def test_each_scope_opens_what_it_includes(
    send: Sender, key: KeyMaker, method: str, path: str
) -> None:
    row = TABLE[method, path]
    future = datetime.now(UTC) + timedelta(hours=1)
    old = make_key()
    key(row.scope, previous_sha256=hashed(old), previous_valid_until=future)
    assert send(old).status_code == row.status, "in its grace"
    assert send(key(row.scope, expires_at=future)).status_code == row.status
    for scope, included in INCLUDED.items():
        response = send(key(scope))
        expected = row.status if row.scope in included else 403
        assert response.status_code == expected, (scope, response.text)
        if expected == 403:
            assert row.scope in response.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path"),
    [route for route, row in TABLE.items() if row.request],
    ids=str,
)
def test_a_body_is_not_read_before_the_key(send: Sender, key: KeyMaker, path: str) -> None:
    bodies = {"damaged": b"{", "nested": b"[" * 50_000, "huge": b" " * 3_000_000}
    for what, content in bodies.items():
        assert send(make_key(), content=content).status_code == 401, what
        if path.startswith(("/keys", "/withdrawals")):
            assert send(key("submit"), content=content).status_code == 403, what
        else:
            assert send(key("read"), content=content).status_code == 403, what
        answer = send(key("admin"), content=content).status_code
        assert answer in (413, 422), (what, answer)
