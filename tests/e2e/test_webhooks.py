"""A real job's end arrives at a real receiver, and the guide's own code accepts it."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.api import Api
from tests.integration.webhooks.builders import wait_until
from tests.integration.webhooks.receiver import receiving

GUIDE = Path(__file__).parents[2] / "docs" / "webhooks.md"


def guides_check() -> Callable[[str, dict[str, str], bytes], dict[str, Any]]:
    """``verified`` of docs/webhooks.md."""
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    (source,) = [block for block in blocks if "def verified" in block]
    made: dict[str, Any] = {}
    exec(compile(source, str(GUIDE), "exec"), made)
    check: Callable[[str, dict[str, str], bytes], dict[str, Any]] = made["verified"]
    return check


def test_the_end_of_a_job_arrives_and_is_logged(api: Api, preprocessed: str) -> None:
    with receiving() as receiver:
        body = {"url": receiver.url, "kinds": ["augment"]}
        webhook = api.post("/webhooks", body).json()
        job = api.ended(api.post("/augment", {"dataset": preprocessed, "copies": 1, "seed": 77}))
        (request,) = receiver.wait_for(1)
        event = guides_check()(webhook["secret"], request.headers, request.body)
        assert event["type"] == "job.succeeded"
        assert event["data"] == job
        deliveries = f"/webhooks/{webhook['id']}/deliveries"
        wait_until(
            lambda: api.json(deliveries)["items"][0]["status"] == "delivered", "it is not logged"
        )
        assert api.json(deliveries)["items"][0]["id"] == request.id
    assert api.http.delete(f"/webhooks/{webhook['id']}").status_code == 204


def test_the_guides_check_refuses_what_is_forged(api: Api) -> None:
    check = guides_check()
    with receiving() as receiver:
        webhook = api.post("/webhooks", {"url": receiver.url}).json()
        api.post(f"/webhooks/{webhook['id']}/test")
        (request,) = receiver.wait_for(1)
        assert check(webhook["secret"], request.headers, request.body)["type"] == "ping"
        forged = [
            ({}, request.body.replace(b"ping", b"pong")),
            ({"webhook-id": "msg_other"}, request.body),
            ({"webhook-timestamp": "1"}, request.body),
            ({"webhook-signature": "v1,"}, request.body),
        ]
        for headers, body in forged:
            with pytest.raises(ValueError, match=r"not signed|old message"):
                check(webhook["secret"], request.headers | headers, body)
    api.http.delete(f"/webhooks/{webhook['id']}")
