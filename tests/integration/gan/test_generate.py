"""``/generate`` where no worker runs: what is refused, and what waits."""

import asyncio
from collections.abc import Callable

import httpx
import pytest
from sqlalchemy.orm import Session

from services.gan.generate_api import get_generate
from shared.db.engine import Sessions
from shared.db.tables import GanRow, TombstoneRow, WithdrawalRow
from shared.errors import BadInput
from shared.ids import new_id
from shared.jobs import ledger
from shared.jobs.claims import Claim
from shared.jobs.submit import Idempotency
from shared.queue.celery import CeleryDoorbell
from shared.settings import Settings
from shared.web.app import connect
from shared.web.auth import Caller
from shared.web.submission import Submission
from tests.integration.shared.builders import claimed, committed


def published_gan(sessions: Sessions, *, default: bool, phantom: bool = False) -> str:
    gan_id = new_id("gan")
    with sessions() as session:
        session.add(
            GanRow(
                id=gan_id,
                name="t",
                dataset_id=new_id("ds"),
                job_id=new_id("job"),
                phantom=phantom,
                is_default=default,
                categories=["liver"],
                image_size=32,
                channels=1,
                steps=1,
                weights_key="k",
                weights_sha256="0" * 64,
                scores={},
                command={},
            )
        )
        session.commit()
    return gan_id


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_before_any_gan_exists(client: httpx.Client, method: str) -> None:
    answer = client.request(method, "/generate?category=liver&n=5")
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert "POST /gans" in answer.json()["detail"]
    assert answer.json()["example"]["path"] == "/gans"


def test_a_category_that_the_default_does_not_know(
    client: httpx.Client, sessions: Sessions
) -> None:
    gan_id = published_gan(sessions, default=True)
    answer = client.get("/generate?category=lung&n=5")
    assert answer.status_code == 409
    assert gan_id in answer.json()["detail"]


def test_without_a_default_one_that_knows_the_category_is_named(
    client: httpx.Client, sessions: Sessions
) -> None:
    known = published_gan(sessions, default=False)
    answer = client.get("/generate?category=liver&n=5")
    assert answer.status_code == 409
    path = f"/gans/{known}/default"
    assert answer.json()["example"] == {"method": "PUT", "path": path}
    assert f"gan={known}" in answer.json()["detail"]
    assert client.get("/generate?category=lung&n=5").json()["example"]["path"] == "/gans"


def test_a_dry_run_makes_nothing(client: httpx.Client, sessions: Sessions) -> None:
    published_gan(sessions, default=True)
    for method in ("GET", "POST"):
        answer = client.request(method, "/generate?category=liver&n=5&dry_run=true")
        assert answer.status_code == 200
        assert answer.json()["images"] == 5
    assert client.get("/jobs").json()["items"] == []


def test_without_a_seed_each_request_is_another_data_set(
    client: httpx.Client, sessions: Sessions
) -> None:
    published_gan(sessions, default=True)
    jobs = [client.post("/generate?category=liver&n=5").json() for _ in range(2)]
    assert jobs[0]["id"] != jobs[1]["id"]
    assert jobs[0]["input"]["seed"] != jobs[1]["input"]["seed"]


def test_a_stream_that_is_asked_for_again_says_so(
    environment: Settings, sessions: Sessions, bell: CeleryDoorbell
) -> None:
    published_gan(sessions, default=True)
    state = connect(environment)
    once = Idempotency("once", "f" * 64)
    request = Submission(state, Caller("key", frozenset({"submit"})), once, 0.0, dry_run=False)
    first, again = (asyncio.run(get_generate(request, "liver", 5)).headers for _ in range(2))
    state.engine.dispose()
    assert "idempotency-replayed" not in first
    assert again["idempotency-replayed"] == "true"
    # Nobody named a seed: it is that of the images, which were drawn by the first request's.
    same = ("x-job-id", "x-seed")
    assert [again[name] for name in same] == [first[name] for name in same]


def ends_badly(session: Session, claim: Claim) -> None:
    ledger.fail(session, claim, BadInput("the weights are no weights"))


def is_deleted(session: Session, claim: Claim) -> None:
    ledger.succeed(session, claim, {"dataset": claim.target})


def is_withdrawn(session: Session, claim: Claim) -> None:
    is_deleted(session, claim)
    session.add(WithdrawalRow(id="wdr_1", patient="p", counts={}, images=0))
    session.flush()
    session.add(TombstoneRow(id=claim.target, kind="data set", withdrawal_id="wdr_1"))


@pytest.mark.parametrize(
    ("end", "status", "said"),
    [
        (ends_badly, 422, "no weights"),
        (ledger.cancelled, 409, "cancelled"),
        (is_deleted, 404, "data set"),
        (is_withdrawn, 410, "wdr_1"),
    ],
)
def test_a_stream_of_what_is_not_there_is_a_problem(
    client: httpx.Client,
    sessions: Sessions,
    end: Callable[[Session, Claim], None],
    status: int,
    said: str,
) -> None:
    published_gan(sessions, default=True)
    once = {"Idempotency-Key": "once"}
    with client.stream("GET", "/generate?category=liver&n=5", headers=once) as stream:
        job_id = stream.headers["x-job-id"]
    claim = claimed(sessions, job_id)
    assert claim is not None
    committed(sessions, lambda session: end(session, claim))
    again = client.get("/generate?category=liver&n=5", headers=once)
    assert again.status_code == status, again.text
    assert said in again.json()["detail"]
    assert again.headers["content-type"] == "application/problem+json"
    assert again.headers["idempotency-replayed"] == "true"


def test_with_a_seed_two_requests_share_a_job(client: httpx.Client, sessions: Sessions) -> None:
    published_gan(sessions, default=True)
    jobs = [client.post("/generate?category=liver&n=5&seed=1").json() for _ in range(2)]
    assert jobs[0]["id"] == jobs[1]["id"]
