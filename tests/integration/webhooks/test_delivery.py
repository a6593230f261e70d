"""What arrives, what is tried again, and who is not held up by whom."""

import time
from datetime import UTC, datetime, timedelta
from functools import partial

import httpx
import pytest
from sqlalchemy import update

from shared.db.engine import Sessions
from shared.db.tables import DeliveryRow, KeyRow, WebhookRow
from shared.jobs import ledger
from shared.webhooks import deliveries as taking
from shared.webhooks import registry
from shared.webhooks.deliveries import Attempt
from shared.webhooks.registry import Owner
from shared.webhooks.schedule import PATIENCE, PAUSES
from tests.integration.shared.builders import committed, queued
from tests.integration.webhooks.builders import (
    INSTALLATION,
    KEY,
    add_webhook,
    deliveries,
    delivering,
    end_job,
    logged,
    make_due,
    secret,
    wait_until,
    webhook,
)
from tests.integration.webhooks.receiver import Receiver, receiving


def test_a_jobs_end_arrives_signed(
    sessions: Sessions, receiver: Receiver, client: httpx.Client
) -> None:
    hook = add_webhook(sessions, receiver.url)
    job_id = end_job(sessions)
    with delivering(sessions):
        (request,) = receiver.wait_for(1)
        row = logged(sessions)
    assert request.signed_with(secret(hook))
    assert not request.signed_with(secret(hook, version=2))
    assert abs(int(request.headers["webhook-timestamp"]) - time.time()) < 60
    assert request.headers["content-type"] == "application/json"
    job = client.get(f"/jobs/{job_id}").json()
    assert request.event["type"] == "job.succeeded"
    assert request.event["data"] == job
    when = datetime.fromisoformat(request.event["timestamp"])
    assert when == datetime.fromisoformat(job["finished_at"])
    assert (row.id, row.status, row.attempts) == (request.id, "delivered", 1)
    assert row.log[0]["status"] == 204
    assert row.log[0]["error"] is None
    assert row.delivered_at is not None


def test_an_event_tells_of_the_end_even_if_the_job_was_retried_since(
    sessions: Sessions, receiver: Receiver
) -> None:
    add_webhook(sessions, receiver.url)
    job_id = queued(sessions, key_id=KEY)
    committed(sessions, partial(ledger.cancel, job_id=job_id))
    committed(sessions, partial(ledger.retry, job_id=job_id))
    with delivering(sessions):
        (request,) = receiver.wait_for(1)
    assert request.event["data"]["status"] == "cancelled"
    assert request.event["data"]["finished_at"] is not None


def test_a_failure_is_tried_again_under_the_same_id(sessions: Sessions, receiver: Receiver) -> None:
    hook = add_webhook(sessions, receiver.url)
    receiver.statuses = [500, 404]
    end_job(sessions)
    with delivering(sessions):
        first = logged(sessions)
        assert first.status == "pending"
        assert PAUSES[0] * 0.5 < first.next_attempt_at - datetime.now(UTC) < PAUSES[0] * 1.2
        assert webhook(sessions, hook).failing_since is not None
        make_due(sessions)
        second = logged(sessions, 2)
        assert PAUSES[1] * 0.9 < second.next_attempt_at - datetime.now(UTC) < PAUSES[1] * 1.2
        make_due(sessions)
        row = logged(sessions, 3)
    assert row.status == "delivered"
    assert [entry["status"] for entry in row.log] == [500, 404, 204]
    assert row.log[0]["error"] == "the receiver answered 500"
    assert webhook(sessions, hook).failing_since is None
    requests = receiver.received
    assert len({request.id for request in requests}) == 1
    assert len({request.body for request in requests}) == 1
    assert all(request.signed_with(secret(hook)) for request in requests)


def test_a_redirect_is_a_failure_and_nobody_follows_it(
    sessions: Sessions, receiver: Receiver
) -> None:
    with receiving() as elsewhere:
        receiver.statuses, receiver.headers = [307], {"Location": elsewhere.url}
        add_webhook(sessions, receiver.url)
        end_job(sessions)
        with delivering(sessions):
            row = logged(sessions)
        assert elsewhere.received == []
    assert row.status == "pending"
    assert row.log[0]["error"] == "the receiver answered 307"


def test_a_receiver_may_ask_for_time(sessions: Sessions, receiver: Receiver) -> None:
    receiver.statuses, receiver.headers = [429], {"Retry-After": "600"}
    add_webhook(sessions, receiver.url)
    end_job(sessions)
    with delivering(sessions):
        row = logged(sessions)
    assert row.next_attempt_at - datetime.now(UTC) > timedelta(minutes=9)


def test_gone_disables_and_what_waits_goes_on_when_it_is_enabled(
    sessions: Sessions, receiver: Receiver
) -> None:
    hook = add_webhook(sessions, receiver.url)
    receiver.statuses = [410]
    end_job(sessions)
    with delivering(sessions, per_webhook=1):
        gone = logged(sessions)
        assert gone.status == "failed"
        assert webhook(sessions, hook).disabled_reason == "the receiver answered 410 Gone"
        end_job(sessions)
        assert len(deliveries(sessions)) == 1, "it is not told any more"
        late = update(DeliveryRow).values(status="pending", tries=0)
        committed(sessions, lambda session: session.execute(late))
        make_due(sessions)
        time.sleep(0.3)
        assert len(receiver.received) == 1, "a disabled webhook is not called"
        enable = partial(Owner(KEY, admin=False).hold, webhook_id=hook)
        committed(sessions, lambda session: registry.enable(enable(session)))
        receiver.wait_for(2)
        assert logged(sessions, 2).status == "delivered"


def test_after_the_last_pause_a_delivery_has_failed(sessions: Sessions, receiver: Receiver) -> None:
    add_webhook(sessions, receiver.url)
    receiver.statuses = [500, 500]
    end_job(sessions)
    late = update(DeliveryRow).values(tries=len(PAUSES) - 1)
    committed(sessions, lambda session: session.execute(late))
    with delivering(sessions):
        assert logged(sessions).status == "pending"
        make_due(sessions)
        assert logged(sessions, 2).status == "failed"
        make_due(sessions)
        time.sleep(0.3)
    assert len(receiver.received) == 2


@pytest.mark.parametrize(("failing_for", "disabled"), [(1.1, True), (0.9, False)])
def test_days_of_nothing_but_failures_disable(
    sessions: Sessions, receiver: Receiver, failing_for: float, disabled: bool
) -> None:
    hook = add_webhook(sessions, receiver.url)
    since = update(WebhookRow).values(failing_since=datetime.now(UTC) - PATIENCE * failing_for)
    committed(sessions, lambda session: session.execute(since))
    receiver.statuses = [500]
    end_job(sessions)
    with delivering(sessions):
        logged(sessions)
    assert (webhook(sessions, hook).disabled_at is not None) is disabled


def test_nothing_is_sent_for_a_key_that_was_revoked(sessions: Sessions, receiver: Receiver) -> None:
    add_webhook(sessions, receiver.url)
    end_job(sessions)
    revoked = update(KeyRow).values(revoked_at=datetime.now(UTC))
    committed(sessions, lambda session: session.execute(revoked))
    with delivering(sessions):
        time.sleep(0.3)
    assert receiver.received == []


def test_a_receiver_that_hangs_holds_up_nobody_else(sessions: Sessions, receiver: Receiver) -> None:
    with receiving() as dead:
        dead.open.clear()
        add_webhook(sessions, dead.url)
        for _ in range(12):
            end_job(sessions)
        with delivering(sessions, at_once=8):
            dead.wait_for(4)
            add_webhook(sessions, receiver.url)
            began = time.monotonic()
            end_job(sessions)
            (request,) = receiver.wait_for(1)
            took = request.at - began
        assert dead.most_at_once == 4, "a receiver has so many places and no more"
    assert took < 5


def test_a_receiver_that_never_answers_is_given_up(sessions: Sessions, receiver: Receiver) -> None:
    receiver.open.clear()
    add_webhook(sessions, receiver.url)
    end_job(sessions)
    with delivering(sessions, timeout_seconds=0.5):
        row = logged(sessions)
    assert row.log[0]["status"] is None
    assert row.log[0]["error"].startswith("no answer within")


def test_a_message_that_cannot_be_written_holds_up_no_other(
    sessions: Sessions, receiver: Receiver
) -> None:
    add_webhook(sessions, receiver.url)
    end_job(sessions)
    bad = update(DeliveryRow).values(job_end={"status": "no such status"})
    committed(sessions, lambda session: session.execute(bad))
    end_job(sessions)
    with delivering(sessions):
        receiver.wait_for(1)
        wait_until(lambda: all(row.log for row in deliveries(sessions)), "not written down")
    broken, good = deliveries(sessions)
    assert (broken.status, good.status) == ("pending", "delivered")
    assert "this server failed" in broken.log[0]["error"]


def test_two_deliverers_send_each_message_once(sessions: Sessions, receiver: Receiver) -> None:
    add_webhook(sessions, receiver.url)
    for _ in range(30):
        end_job(sessions)
    with delivering(sessions), delivering(sessions):
        receiver.wait_for(30)
        wait_until(
            lambda: all(row.status == "delivered" for row in deliveries(sessions)), "not delivered"
        )
    assert len({request.id for request in receiver.received}) == len(receiver.received) == 30


def take(sessions: Sessions) -> taking.Message:
    (message,) = committed(
        sessions,
        partial(
            taking.take_due,
            room=9,
            per_webhook=4,
            running={},
            lease=timedelta(seconds=60),
            installation=INSTALLATION,
        ),
    )
    assert isinstance(message, taking.Message)
    return message


def test_an_attempt_whose_lease_was_taken_over_changes_nothing_unless_it_arrived(
    sessions: Sessions,
) -> None:
    add_webhook(sessions, "http://127.0.0.1:9999/")
    end_job(sessions)
    first = take(sessions)
    make_due(sessions)
    take(sessions)
    (before,) = deliveries(sessions)
    late = Attempt(datetime.now(UTC), 70.0, status=500, error="the receiver answered 500")
    committed(sessions, partial(taking.record, message=first, attempt=late))
    (after,) = deliveries(sessions)
    assert after.next_attempt_at == before.next_attempt_at
    assert after.status == "pending"
    assert len(after.log) == 1, "it is written down all the same"
    arrived = Attempt(datetime.now(UTC), 70.0, status=200)
    committed(sessions, partial(taking.record, message=first, attempt=arrived))
    assert deliveries(sessions)[0].status == "delivered"


def test_a_webhook_may_be_deleted_while_its_message_is_on_its_way(
    sessions: Sessions, receiver: Receiver
) -> None:
    hook = add_webhook(sessions, receiver.url)
    end_job(sessions)
    message = take(sessions)
    committed(sessions, lambda session: session.delete(session.get_one(WebhookRow, hook)))
    committed(
        sessions,
        partial(taking.record, message=message, attempt=Attempt(datetime.now(UTC), 1, status=200)),
    )
    assert deliveries(sessions) == []


def test_what_ended_long_ago_is_forgotten(sessions: Sessions) -> None:
    add_webhook(sessions, "http://127.0.0.1:9999/")
    for _ in range(3):
        end_job(sessions)
    old, waiting, new = deliveries(sessions)
    long_ago = datetime.now(UTC) - taking.KEPT_FOR - timedelta(days=1)
    with sessions() as session:
        for row, status in ((old, "delivered"), (waiting, "pending")):
            query = update(DeliveryRow).where(DeliveryRow.id == row.id)
            session.execute(query.values(status=status, created_at=long_ago))
        session.commit()
    committed(sessions, taking.forget_old)
    assert {row.id for row in deliveries(sessions)} == {waiting.id, new.id}
