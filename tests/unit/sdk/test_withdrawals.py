"""``client.withdraw`` and ``lesiongan withdraw``."""

import json
from typing import Any

import httpx
import pytest

from lesiongan.errors import ConnectionFailed
from tests.unit.sdk.fake_server import Run, Script, client_of, page, problem
from tests.unit.sdk.made import CLASSIFIER, DATASET, EXPERIMENT, GAN

PATIENT = "a" * 32


def withdrawal(**members: Any) -> dict[str, Any]:
    """The answer to a dry run."""
    dataset = {"id": DATASET, "name": "ours", "kind": "raw", "images": 9, "patient_images": 2}
    return {
        "id": None,
        "dry_run": True,
        "patient": PATIENT,
        "datasets": [dataset],
        "gans": [{"id": GAN, "name": "g"}],
        "classifiers": [{"id": CLASSIFIER, "name": "c"}],
        "experiments": [{"id": EXPERIMENT, "name": "e"}],
        "uploads": ["up_1"],
        "jobs_cancelled": ["job_1"],
        "jobs_restarted": ["job_2"],
        "results": ["job_3"],
        "unfinished_datasets": ["ds_half"],
        "patient_images": 2,
        "objects": 7,
        "bytes": 3_000_000,
        "notes": ["look"],
        **members,
    }


def done() -> httpx.Response:
    return httpx.Response(200, json=withdrawal(id="wdr_1", dry_run=False))


def bodies(script: Script) -> list[Any]:
    return [json.loads(request.content) for request in script.requests]


def test_nothing_goes_unless_it_is_said() -> None:
    script = Script(httpx.Response(200, json=withdrawal()), done())
    client = client_of(script)
    assert client.withdraw("MRN 17").datasets[0].patient_images == 2
    assert client.withdraw("MRN 17", dry_run=False).id == "wdr_1"
    assert bodies(script) == [
        {"patient": "MRN 17", "dry_run": True},
        {"patient": "MRN 17", "dry_run": False},
    ]


def test_only_a_dry_run_is_sent_again() -> None:
    broken = httpx.ReadError("gone")
    script = Script(broken, httpx.Response(200, json=withdrawal()), broken)
    client = client_of(script)
    assert client.withdraw("17").id is None
    with pytest.raises(ConnectionFailed):
        client.withdraw("17", dry_run=False)
    assert len(script.requests) == 3


def test_the_command_shows_everything_and_asks(run: Run) -> None:
    script = Script(httpx.Response(200, json=withdrawal()))
    result = run(script, "withdraw", "17")
    assert result.exit_code == 1
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["raw", DATASET, "2", "of", "9", "ours"] in lines
    assert ["GAN", GAN, "-", "g"] in lines
    assert ["classifier", CLASSIFIER, "-", "c"] in lines
    assert ["experiment", EXPERIMENT, "-", "e"] in lines
    for what in ("up_1", "job_1", "job_2", "job_3", "ds_half", "look", "3.0 MB"):
        assert what in result.stdout
    assert [each["dry_run"] for each in bodies(script)] == [True]


def test_a_yes_withdraws_after_the_dry_run(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The patient is asked for where the command does not say it."""
    monkeypatch.setattr("typer.prompt", lambda *_, **__: "17")
    monkeypatch.setattr("typer.confirm", lambda *_, **__: True)
    script = Script(httpx.Response(200, json=withdrawal()), done())
    result = run(script, "withdraw", "--json")
    assert json.loads(result.stdout)["id"] == "wdr_1", "one document"
    assert bodies(script) == [
        {"patient": "17", "dry_run": True},
        {"patient": "17", "dry_run": False},
    ]


def test_yes_withdraws_at_once(run: Run) -> None:
    script = Script(done())
    result = run(script, "withdraw", "17", "--yes", "--json")
    assert json.loads(result.stdout)["id"] == "wdr_1"
    assert bodies(script) == [{"patient": "17", "dry_run": False}]


def test_a_dry_run_asks_nothing(run: Run) -> None:
    script = Script(httpx.Response(200, json=withdrawal()))
    result = run(script, "withdraw", "17", "--dry-run", "--json")
    assert (result.exit_code, json.loads(result.stdout)["objects"]) == (0, 7)


def test_what_is_refused_is_one_line(run: Run) -> None:
    script = Script(problem(403, "Forbidden", "this key lacks the scope admin"))
    result = run(script, "withdraw", "17", "--yes")
    assert result.exit_code == 1
    assert result.stderr == (
        "error: Forbidden: this key lacks the scope admin "
        "(ask an admin for a key with that scope)\n"
    )


def test_withdrawals_are_listed(run: Run) -> None:
    item = {
        "id": "wdr_1",
        "patient": PATIENT,
        "counts": {"datasets": 2, "gans": 1},
        "patient_images": 4,
        "objects": 7,
        "bytes": 1,
        "created_at": "2026-01-01T00:00:00Z",
    }
    result = run(Script(page(item)), "withdrawals", "list")
    row = ["wdr_1", PATIENT, "2026-01-01", "00:00", "3", "4", "7"]
    assert row in [line.split() for line in result.stdout.splitlines()]


def test_an_experiment_is_deleted(run: Run) -> None:
    script = Script(httpx.Response(204))
    assert run(script, "experiments", "delete", EXPERIMENT).exit_code == 1
    assert script.requests == []
    result = run(script, "experiments", "delete", EXPERIMENT, "--yes", "--json")
    assert json.loads(result.stdout) == {"deleted": EXPERIMENT}
    assert script.requests[0].url.path == f"/experiments/{EXPERIMENT}"
