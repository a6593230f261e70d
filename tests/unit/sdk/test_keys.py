"""``client.keys``, ``client.accounting`` and their commands."""

import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from lesiongan.contracts.keys import Key, KeyChange, NewKey, QuotaCommand
from lesiongan.contracts.usage import AuditEntry, Usage
from lesiongan.errors import ConnectionFailed
from tests.unit.sdk.fake_server import Run, Script, client_of, page


def example(model: type[Key | NewKey | Usage | AuditEntry]) -> dict[str, Any]:
    """The example that the OpenAPI document shows."""
    found: dict[str, Any] = model.model_json_schema()["examples"][0]
    return found


def answer(model: type[Key | NewKey]) -> httpx.Response:
    return httpx.Response(200, json=example(model))


def test_a_change_sends_what_was_set_only() -> None:
    script = Script(answer(Key))
    client_of(script).keys.change("key_1", KeyChange(quota=QuotaCommand(queued_jobs=None)))
    assert script.requests[0].method == "PATCH"
    assert json.loads(script.requests[0].content) == {"quota": {"queued_jobs": None}}


def test_a_rotation_is_not_sent_again() -> None:
    """A second one would end the secret that the first one's lost answer held."""
    script = Script(httpx.ReadError("gone"), answer(NewKey))
    with pytest.raises(ConnectionFailed):
        client_of(script).keys.rotate("key_1", grace_seconds=60)
    assert json.loads(script.requests[0].content) == {"grace_seconds": 60}
    assert len(script.requests) == 1


def test_times_are_sent_with_their_zone() -> None:
    script = Script(page(example(Usage)), page(example(AuditEntry)))
    client = client_of(script)
    assert len([*client.accounting.usage(since=datetime(2026, 1, 2, tzinfo=UTC))]) == 1
    assert len([*client.accounting.audit(action="cancel_job", key="key_1")]) == 1
    assert script.requests[0].url.params["from"] == "2026-01-02T00:00:00+00:00"
    assert dict(script.requests[1].url.params) == {
        "key": "key_1",
        "action": "cancel_job",
        "limit": "200",
    }


@pytest.mark.parametrize(
    ("options", "body"),
    [
        (["--name", "n"], {"name": "n"}),
        (["--expires", "never"], {"expires_at": None}),
        (["--queued-jobs", "5"], {"quota": {"queued_jobs": 5}}),
        (["--device-seconds", "none"], {"quota": {"device_seconds": None}}),
        (["--expires", "2027-01-01T00:00:00Z"], {"expires_at": "2027-01-01T00:00:00Z"}),
    ],
)
def test_the_command_changes_what_is_named(
    run: Run, options: list[str], body: dict[str, Any]
) -> None:
    script = Script(answer(Key))
    result = run(script, "keys", "change", "key_1", *options)
    assert result.exit_code == 0, result.output
    assert json.loads(script.requests[0].content) == body
    assert "segmentation pipeline" in result.stdout


def test_what_is_no_limit_is_refused_here(run: Run) -> None:
    script = Script()
    assert run(script, "keys", "change", "key_1", "--queued-jobs", "many").exit_code == 2
    assert script.requests == []


def test_the_commands_show_what_there_is(run: Run) -> None:
    shown = run(Script(answer(Key)), "keys", "show", "key_1").stdout
    assert "no limit" in shown
    rotated = run(Script(answer(NewKey)), "keys", "rotate", "key_1", "--grace-seconds", "9")
    assert "lg_" in rotated.stdout
    used = run(Script(page(example(Usage))), "usage", "--since", "2026-01-01").stdout
    assert "4500" in used
    audit = run(Script(page(example(AuditEntry))), "audit", "--of", "key_1").stdout
    assert "cancel_job" in audit
