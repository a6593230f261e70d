"""``/withdrawals`` over HTTP, and 410 wherever something withdrawn is named."""

import logging
from typing import Any

import httpx
import pytest
from sqlalchemy import Text, cast, func, select

from shared.datasets.pseudonyms import all_pseudonyms
from shared.db.base import Base
from shared.db.engine import Sessions
from shared.jobs import ledger
from shared.settings import Settings
from shared.storage.s3 import S3Store
from tests.integration.conftest import KeyMaker
from tests.integration.shared.builders import committed, grey_png, running
from tests.integration.withdrawals.builders import ALICE, World, dataset, make_world

IDENTIFIER = "MRN 0017, Doe"


@pytest.fixture
def world(sessions: Sessions, store: S3Store) -> World:
    return make_world(sessions, store)


def withdraw(client: httpx.Client, patient: str, *, dry_run: bool = False) -> dict[str, Any]:
    answer = client.post("/withdrawals", json={"patient": patient, "dry_run": dry_run})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def named(world: World, job: str) -> list[tuple[str, str, dict[str, Any] | None]]:
    """Every request that names something of ``world`` that is withdrawn."""
    reads = [
        *(f"/datasets/{world.raw}{below}" for below in ("", "/images", "/images/0", "/archive")),
        f"/datasets/{world.synthetic}/contact-sheet.png",
        *(
            f"/gans/{world.gan}{below}"
            for below in ("", "/metrics", "/preview.png", "/pairs.png", "/weights")
        ),
        f"/classifiers/{world.classifier}",
        f"/experiments/{world.experiment}",
        f"/experiments/{world.experiment}/report",
        f"/jobs/{job}/result",
        f"/generate?category=liver&n=1&gan={world.gan}",
    ]
    bodies: dict[str, dict[str, Any]] = {
        "/preprocess": {"dataset": world.raw},
        "/augment": {"dataset": world.crops},
        "/gans": {"dataset": world.crops},
        "/classifiers": {"datasets": [world.subset, world.synthetic]},
        "/experiments": {"dataset": world.crops},
    }
    removes = [
        f"/datasets/{world.raw}",
        f"/datasets/{world.raw}?cascade=true",
        f"/gans/{world.gan}",
        f"/classifiers/{world.classifier}",
        f"/experiments/{world.experiment}",
    ]
    return [
        *(("GET", path, None) for path in reads),
        *(("POST", path, body) for path, body in bodies.items()),
        ("POST", f"/generate?category=liver&n=1&gan={world.gan}", None),
        ("PUT", f"/gans/{world.gan}/default", None),
        *(("DELETE", path, None) for path in removes),
    ]


def test_whoever_names_what_is_gone_is_told_so(
    client: httpx.Client, sessions: Sessions, store: S3Store, world: World
) -> None:
    claim = running(sessions, kind="classify", input={"classifier": world.classifier})
    output = {"object": f"results/{claim.job_id}/1", "content_type": "application/json"}
    committed(sessions, lambda session: ledger.succeed(session, claim, output))
    done = withdraw(client, ALICE)
    for method, path, body in named(world, claim.job_id):
        answer = client.request(method, path, json=body)
        assert answer.status_code == 410, f"{method} {path}: {answer.text}"
        assert answer.json()["title"] == "Gone"
        assert done["id"] in answer.json()["detail"]
    image = grey_png(1, size=32)
    answer = client.post("/classify", params={"classifier": world.classifier}, content=image)
    assert answer.status_code == 410
    assert client.get(f"/datasets/{world.subset}").json()["parents"] == [world.crops]
    assert client.get("/datasets").json()["items"][0]["id"] == world.kept_synthetic


def test_the_identifier_is_stored_logged_and_said_nowhere(
    client: httpx.Client,
    sessions: Sessions,
    store: S3Store,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    known = all_pseudonyms(IDENTIFIER, settings.secret.get_secret_value())[0]
    held = dataset(sessions, store, [known], kind="raw")
    with caplog.at_level(logging.DEBUG):
        planned = withdraw(client, IDENTIFIER, dry_run=True)
        done = withdraw(client, IDENTIFIER)
    assert [each["id"] for each in planned["datasets"]] == [held]
    assert planned["patient"] == done["patient"] == known
    said = [
        caplog.text,
        str(planned),
        str(done),
        client.get("/withdrawals").text,
        _tables(sessions),
    ]
    assert known in said[-1]
    for part in ("0017", "Doe"):
        assert not any(part in text for text in said)


def _tables(sessions: Sessions) -> str:
    """All rows of all tables, as text."""
    with sessions() as session:
        return "\n".join(
            str(text)
            for table in Base.metadata.sorted_tables
            for text in session.scalars(select(cast(func.to_jsonb(table.table_valued()), Text)))
        )


def test_withdrawals_are_listed_by_pseudonym(
    client: httpx.Client, sessions: Sessions, store: S3Store, world: World
) -> None:
    withdraw(client, ALICE, dry_run=True)
    first, second = withdraw(client, ALICE), withdraw(client, "somebody else")
    page = client.get("/withdrawals", params={"limit": 1}).json()
    assert [item["id"] for item in page["items"]] == [second["id"]]
    rest = client.get("/withdrawals", params={"cursor": page["next_cursor"]}).json()
    item = rest["items"][0]
    assert (item["id"], item["patient"]) == (first["id"], ALICE)
    assert (item["patient_images"], item["objects"]) == (4, first["objects"])
    counts = item["counts"]
    assert [counts[kind] for kind in ("datasets", "gans", "classifiers", "experiments")] == [
        3,
        1,
        2,
        1,
    ]


@pytest.mark.parametrize(
    "body",
    [
        {"patient": "", "dry_run": True},
        {"patient": "   ", "dry_run": True},
        {"patient": "17"},
        {"patient": "17", "dry_run": True, "cascade": True},
        {"patient": "x" * 201, "dry_run": True},
    ],
)
def test_what_is_not_a_withdrawal_is_refused(client: httpx.Client, body: dict[str, Any]) -> None:
    answer = client.post("/withdrawals", json=body)
    assert answer.status_code == 422
    assert "xxx" not in answer.text


def test_only_an_admin_withdraws(client: httpx.Client, make_headers: KeyMaker) -> None:
    body = {"patient": "17", "dry_run": True}
    for headers in (make_headers("read"), make_headers("submit")):
        assert client.post("/withdrawals", json=body, headers=headers).status_code == 403
        assert client.get("/withdrawals", headers=headers).status_code == 403


def test_an_experiment_is_deleted_and_its_classifiers_stay(
    client: httpx.Client, store: S3Store, world: World
) -> None:
    assert client.delete(f"/experiments/{world.experiment}").status_code == 204
    assert client.get(f"/experiments/{world.experiment}").status_code == 404
    assert client.get(f"/classifiers/{world.kept_classifier}").status_code == 200
    assert list(store.list(f"experiments/{world.experiment}/")) == []
