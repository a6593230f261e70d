"""A job's end and its deliveries are one transaction, and only those who asked are told."""

import threading
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import update

from shared.db.engine import Sessions
from shared.db.tables import KeyRow, WebhookRow
from shared.errors import BadInput
from shared.jobs import ledger
from tests.integration.shared.builders import (
    committed,
    done_before,
    queued,
    running,
    submitted,
)
from tests.integration.webhooks.builders import (
    KEY,
    add_key,
    add_webhook,
    deliveries,
    end_job,
)

URL = "http://127.0.0.1:9999/hook"
PAST = datetime.now(UTC) - timedelta(seconds=1)


def told(sessions: Sessions) -> list[tuple[str, str | None]]:
    return [(row.event, row.job_id) for row in deliveries(sessions)]


def test_each_way_to_end_is_an_event(sessions: Sessions) -> None:
    add_webhook(sessions, URL)
    succeeded = end_job(sessions)
    failing = running(sessions, key_id=KEY)
    committed(sessions, partial(ledger.fail, claim=failing, error=BadInput("no")))
    cancelled = queued(sessions, key_id=KEY)
    committed(sessions, partial(ledger.cancel, job_id=cancelled))
    assert told(sessions) == [
        ("job.succeeded", succeeded),
        ("job.failed", failing.job_id),
        ("job.cancelled", cancelled),
    ]


def test_what_waited_for_a_failed_job_is_told_as_well(sessions: Sessions) -> None:
    add_webhook(sessions, URL)
    parent = running(sessions, key_id=KEY)
    child = queued(sessions, key_id=KEY, parents=[parent.job_id])
    committed(sessions, partial(ledger.fail, claim=parent, error=BadInput("no")))
    assert told(sessions) == [("job.failed", parent.job_id), ("job.failed", child)]


def test_an_end_that_is_rolled_back_was_never_told(sessions: Sessions) -> None:
    add_webhook(sessions, URL)
    claim = running(sessions, key_id=KEY)
    with sessions() as session:
        ledger.succeed(session, claim, {})
        session.flush()
        session.rollback()
    assert told(sessions) == []
    committed(sessions, partial(ledger.succeed, claim=claim, output={}))
    assert told(sessions) == [("job.succeeded", claim.job_id)]


def test_what_is_not_an_end_is_not_told(sessions: Sessions) -> None:
    add_webhook(sessions, URL)
    committed(sessions, partial(ledger.hand_back, claim=running(sessions, key_id=KEY)))
    assert told(sessions) == []


def test_a_job_that_was_done_before_it_was_asked_for_is_told(sessions: Sessions) -> None:
    add_webhook(sessions, URL)
    made = done_before({"dataset": "ds_1"})
    done = submitted(sessions, key_id=KEY, target="ds_1", finished=made)
    assert told(sessions) == [("job.succeeded", done.job.id)]


def test_who_asked_for_a_job_that_another_key_runs_is_told_as_well(sessions: Sessions) -> None:
    for key in (KEY, "key_2", "key_3"):
        add_webhook(sessions, URL, key_id=key)
    first = submitted(sessions, key_id=KEY, target="ds_x").job.id
    for _ in range(2):
        assert submitted(sessions, key_id="key_2", target="ds_x").job.id == first
        assert submitted(sessions, key_id=KEY, target="ds_x").job.id == first
    committed(sessions, partial(ledger.cancel, job_id=first))
    assert len(told(sessions)) == 2


@pytest.mark.parametrize(
    ("members", "heard"),
    [
        ({}, True),
        ({"kinds": ["probe"]}, True),
        ({"kinds": ["experiment", "probe"]}, True),
        ({"kinds": ["prob"]}, False),
        ({"events": ["job.succeeded"]}, True),
        ({"events": ["job.failed", "job.cancelled"]}, False),
        ({"key_id": "key_other"}, False),
        ({"key_id": "key_other", "jobs": "all"}, True),
    ],
)
def test_a_webhook_hears_what_it_asked_for(
    sessions: Sessions, members: dict[str, Any], heard: bool
) -> None:
    add_webhook(sessions, URL, **members)
    job = end_job(sessions)
    assert told(sessions) == ([("job.succeeded", job)] if heard else [])


@pytest.mark.parametrize("members", [{"revoked_at": PAST}, {"expires_at": PAST}])
def test_a_key_that_is_not_valid_any_more_hears_nothing(
    sessions: Sessions, members: dict[str, Any]
) -> None:
    add_key(sessions)
    add_webhook(sessions, URL)
    query = update(KeyRow).values(**members)
    committed(sessions, lambda session: session.execute(query))
    end_job(sessions)
    assert told(sessions) == []


def test_a_disabled_webhook_hears_nothing_new(sessions: Sessions) -> None:
    add_webhook(sessions, URL)
    query = update(WebhookRow).values(disabled_at=PAST)
    committed(sessions, lambda session: session.execute(query))
    end_job(sessions)
    assert told(sessions) == []


def test_a_job_ends_while_its_webhook_is_being_deleted(sessions: Sessions) -> None:
    webhook_id = add_webhook(sessions, URL)
    claim = running(sessions, key_id=KEY)
    ended = threading.Thread(
        target=lambda: committed(sessions, partial(ledger.succeed, claim=claim, output={}))
    )
    with sessions() as session:
        session.delete(session.get_one(WebhookRow, webhook_id))
        session.flush()
        ended.start()
        time.sleep(0.3)
        session.commit()
    ended.join()
    with sessions() as session:
        assert ledger.get(session, claim.job_id).status == "succeeded"
    assert told(sessions) == []
