"""``client.webhooks`` and ``lesiongan webhooks``."""

import json
from typing import Any

import httpx

from lesiongan.contracts.webhooks import WebhookCommand
from tests.unit.sdk.fake_server import Run, Script, client_of, page, problem

URL = "https://lab.example/hook"
HOOK: dict[str, Any] = {
    "id": "wh_1",
    "name": "",
    "url": URL,
    "events": ["job.failed"],
    "kinds": [],
    "jobs": "own",
    "key": "key_1",
    "created_at": "2026-01-01T00:00:00Z",
}
SECRET = "whsec_c2VjcmV0"
NEW = HOOK | {"secret": SECRET}


def delivery(**members: Any) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "webhook": "wh_1",
        "event": "job.failed",
        "job": "job_1",
        "status": "pending",
        "attempts": [],
        "next_attempt_at": "2026-01-01T00:00:00Z",
        "delivered_at": None,
        "created_at": "2026-01-01T00:00:00Z",
        **members,
    }


def sent(script: Script) -> list[tuple[str, str]]:
    return [(request.method, request.url.path) for request in script.requests]


def test_each_method_is_its_request() -> None:
    answers = [
        httpx.Response(201, json=NEW),
        httpx.Response(200, json=HOOK),
        page(HOOK),
        httpx.Response(200, json=NEW),
        httpx.Response(200, json=HOOK),
        httpx.Response(202, json=delivery(event="ping")),
        page(delivery(status="failed")),
        httpx.Response(202, json=delivery()),
        httpx.Response(204),
    ]
    script = Script(*answers)
    with client_of(script) as client:
        hooks = client.webhooks
        made = hooks.add(WebhookCommand(url=URL, events=["job.failed"]))
        assert made.secret == SECRET
        assert hooks.get(made).url == HOOK["url"]
        assert [hook.id for hook in hooks.list()] == ["wh_1"]
        assert hooks.rotate(made).secret == SECRET
        assert hooks.enable(made).disabled_at is None
        assert hooks.test(made).event == "ping"
        (failed,) = hooks.deliveries(made, status="failed")
        assert hooks.redeliver(made, failed).status == "pending"
        hooks.remove(made)
    assert sent(script) == [
        ("POST", "/webhooks"),
        ("GET", "/webhooks/wh_1"),
        ("GET", "/webhooks"),
        ("POST", "/webhooks/wh_1/rotate"),
        ("POST", "/webhooks/wh_1/enable"),
        ("POST", "/webhooks/wh_1/test"),
        ("GET", "/webhooks/wh_1/deliveries"),
        ("POST", "/webhooks/wh_1/deliveries/msg_1/redeliver"),
        ("DELETE", "/webhooks/wh_1"),
    ]
    assert json.loads(script.requests[0].content) == {
        "url": HOOK["url"],
        "events": ["job.failed"],
    }
    assert script.requests[6].url.params["status"] == "failed"


def test_add_shows_the_secret_and_asks_for_what_was_written(run: Run) -> None:
    script = Script(httpx.Response(201, json=NEW))
    words = ("--event", "job.failed", "--kind", "experiment", "--all-jobs", "--name", "ours")
    result = run(script, "webhooks", "add", str(HOOK["url"]), *words)
    assert result.exit_code == 0, result.output
    assert SECRET in result.stdout
    assert json.loads(script.requests[0].content) == {
        "url": HOOK["url"],
        "name": "ours",
        "kinds": ["experiment"],
        "jobs": "all",
        "events": ["job.failed"],
    }


def test_list_tells_the_state_of_each(run: Run) -> None:
    when = "2026-01-01T00:00:00Z"
    hooks = [
        HOOK,
        HOOK | {"id": "wh_2", "failing_since": when},
        HOOK | {"id": "wh_3", "failing_since": when, "disabled_at": when},
    ]
    result = run(Script(page(*hooks)), "webhooks", "list")
    states = [line.split()[1] for line in result.stdout.splitlines()[1:]]
    assert states == ["enabled", "failing", "disabled"]
    as_json = json.loads(run(Script(page(HOOK)), "webhooks", "list", "--json").stdout)
    assert as_json[0]["id"] == "wh_1"


def test_deliveries_show_why_the_last_attempt_failed(run: Run) -> None:
    attempts = [
        {"at": "2026-01-01T00:00:00Z", "status": None, "seconds": 15, "error": "no answer"},
        {"at": "2026-01-01T00:00:05Z", "status": 404, "seconds": 1, "error": "answered 404"},
    ]
    script = Script(page(delivery(attempts=attempts)))
    result = run(script, "webhooks", "deliveries", "wh_1", "--status", "pending")
    assert "answered 404" in result.stdout
    assert script.requests[0].url.params["status"] == "pending"


def test_the_other_commands(run: Run) -> None:
    for words, answer, expected in (
        (("remove", "wh_1"), httpx.Response(204), "removed wh_1"),
        (("enable", "wh_1"), httpx.Response(200, json=HOOK), "enabled wh_1"),
        (("rotate", "wh_1"), httpx.Response(200, json=NEW), SECRET),
        (("test", "wh_1"), httpx.Response(202, json=delivery(event="ping")), "ping"),
        (("redeliver", "wh_1", "msg_1"), httpx.Response(202, json=delivery()), "msg_1"),
    ):
        result = run(Script(answer), "webhooks", *words)
        assert result.exit_code == 0, result.output
        assert expected in result.stdout


def test_a_refusal_is_one_line(run: Run) -> None:
    refused = problem(422, "Unreachable receiver", "10.0.0.1 is an internal address")
    result = run(Script(refused), "webhooks", "add", "http://10.0.0.1/")
    assert result.exit_code == 1
    assert "internal address" in result.stderr
