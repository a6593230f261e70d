"""What a person waits for: one request, one file."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from fastapi.responses import Response
from sqlalchemy import select

from shared.db.engine import Sessions
from shared.db.tables import JobRow, KeyRow
from shared.errors import BadInput, Conflict, Gone, LesionGanError
from shared.jobs import ledger
from shared.jobs.claims import Claim
from shared.jobs.submit import Idempotency
from shared.queue.celery import CeleryDoorbell
from shared.settings import Settings
from shared.storage.s3 import S3Store
from shared.web.app import connect
from shared.web.auth import Caller
from shared.web.interactive import JobFailed, answer_with_file
from shared.web.submission import Submission
from tests.integration.shared.builders import claimed, committed, new_job

Act = Callable[[Claim], Any]


@pytest.fixture
def submission(
    environment: Settings, sessions: Sessions, bell: CeleryDoorbell
) -> Iterator[Submission]:
    """A request of a caller."""
    state = connect(environment)
    caller = Caller("key", frozenset({"submit"}))
    yield Submission(state, caller, None, 0.0, dry_run=False)
    state.engine.dispose()


@pytest.fixture
def staged(store: S3Store) -> Callable[[], list[str]]:
    """Keys of images that lie staged."""
    return lambda: [entry.key for entry in store.list("interactive/")]


def answer(submission: Submission, *, wait_seconds: float = 5.0, **members: Any) -> Response:
    """Ask, as a route would."""
    new = new_job(kind="probe", queue="interactive", total=1, unit="image", **members)

    async def ask() -> Response:
        await submission.state.watcher.start()
        try:
            return await answer_with_file(submission, new, b"image", wait_seconds=wait_seconds)
        finally:
            await submission.state.watcher.stop()

    return asyncio.run(ask())


def worker(sessions: Sessions, act: Act) -> threading.Thread:
    """A worker that takes the next job and acts on its claim."""

    def work() -> None:
        for _ in range(500):
            with sessions() as session:
                job_id = session.scalar(select(JobRow.id).where(JobRow.status == "queued"))
            claim = None if job_id is None else claimed(sessions, job_id)
            if claim is not None:
                act(claim)
                return
            threading.Event().wait(0.01)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def succeed(sessions: Sessions, store: S3Store) -> Act:
    def act(claim: Claim) -> None:
        store.put(f"results/{claim.job_id}", store.get(claim.input["image"]) + b" seen")
        output = {"object": f"results/{claim.job_id}", "content_type": "image/png"}
        committed(sessions, lambda session: ledger.succeed(session, claim, output))
        store.delete(claim.input["image"])

    return act


def test_the_file_comes_back_in_the_same_request(
    submission: Submission, sessions: Sessions, store: S3Store
) -> None:
    thread = worker(sessions, succeed(sessions, store))
    response = answer(submission)
    thread.join()
    assert response.status_code == 200
    assert response.body == b"image seen"
    assert response.media_type == "image/png"


def test_a_slow_job_is_answered_with_itself(
    submission: Submission, sessions: Sessions, bell: CeleryDoorbell
) -> None:
    response = answer(submission, wait_seconds=0.2)
    assert response.status_code == 202
    with sessions() as session:
        job_id = session.scalars(select(JobRow.id)).one()
    assert response.headers["location"] == f"/jobs/{job_id}"
    assert bell.depth("interactive") == 1


@pytest.mark.parametrize(
    ("error", "expected", "status"),
    [
        (BadInput("the image is not grey"), BadInput, 422),
        (LesionGanError("the worker failed unexpectedly"), JobFailed, 500),
    ],
)
def test_a_failure_is_the_senders_only_if_it_is(
    submission: Submission,
    sessions: Sessions,
    staged: Callable[[], list[str]],
    error: LesionGanError,
    expected: type[LesionGanError],
    status: int,
) -> None:
    before = staged()
    thread = worker(
        sessions, lambda claim: committed(sessions, lambda s: ledger.fail(s, claim, error))
    )
    with pytest.raises(expected, match=error.detail) as caught:
        answer(submission)
    thread.join()
    assert caught.value.status == status
    assert staged() == before, "the image is not kept"


def test_a_cancelled_job_is_a_conflict(submission: Submission, sessions: Sessions) -> None:
    def stop(claim: Claim) -> None:
        committed(sessions, lambda session: ledger.cancelled(session, claim))

    thread = worker(sessions, stop)
    with pytest.raises(Conflict, match="cancelled"):
        answer(submission)
    thread.join()


def test_a_dry_run_stages_nothing(
    submission: Submission, sessions: Sessions, staged: Callable[[], list[str]]
) -> None:
    before = staged()
    response = answer(replace(submission, dry_run=True))
    assert response.status_code == 200
    assert staged() == before
    with sessions() as session:
        assert session.scalars(select(JobRow)).all() == []


def test_a_replay_answers_with_the_first_file_and_stages_nothing(
    submission: Submission,
    sessions: Sessions,
    store: S3Store,
    staged: Callable[[], list[str]],
) -> None:
    before = staged()
    once = replace(submission, idempotency=Idempotency("once", "f" * 64))
    thread = worker(sessions, succeed(sessions, store))
    first = answer(once)
    thread.join()
    assert "idempotency-replayed" not in first.headers
    again = answer(once)
    assert again.body == first.body
    assert again.headers["idempotency-replayed"] == "true"
    with pytest.raises(BadInput):
        answer(replace(submission, idempotency=Idempotency("once", "e" * 64)))
    assert staged() == before


def test_a_replay_of_a_failure_says_that_it_is_one(
    submission: Submission, sessions: Sessions
) -> None:
    once = replace(submission, idempotency=Idempotency("once", "f" * 64))
    wrong = BadInput("the image is not grey")
    thread = worker(
        sessions, lambda claim: committed(sessions, lambda s: ledger.fail(s, claim, wrong))
    )
    said = []
    for _ in range(2):
        with pytest.raises(BadInput, match="not grey") as caught:
            answer(once)
        said.append(caught.value.headers)
    thread.join()
    assert said == [{}, {"Idempotency-Replayed": "true"}]


def test_a_replay_of_what_was_collected_says_how_to_ask_anew(
    submission: Submission, sessions: Sessions, store: S3Store
) -> None:
    once = replace(submission, idempotency=Idempotency("once", "f" * 64))
    thread = worker(sessions, succeed(sessions, store))
    job_id = answer(once).headers["x-job-id"]
    thread.join()
    store.delete(f"results/{job_id}")
    with pytest.raises(Gone, match="again with another Idempotency-Key") as caught:
        answer(once)
    assert caught.value.headers == {"Idempotency-Replayed": "true"}


def test_a_replay_of_a_slow_job_says_that_it_is_one(submission: Submission) -> None:
    once = replace(submission, idempotency=Idempotency("once", "f" * 64))
    first, again = (answer(once, wait_seconds=0.0).headers for _ in range(2))
    assert "idempotency-replayed" not in first
    assert again["idempotency-replayed"] == "true"


def test_the_caller_is_written_down(submission: Submission, sessions: Sessions) -> None:
    answer(submission, wait_seconds=0.0)
    with sessions() as session:
        assert session.scalars(select(JobRow.key_id)).one() == "key"
        assert session.scalars(select(KeyRow)).all() == []
