"""What the gateway says of queues, workers, webhooks and trainings."""

from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import func, update

from shared.db.engine import Sessions, make_engine, make_sessions
from shared.db.tables import JobRow, MetricRow
from shared.jobs import depths, ledger
from shared.jobs.depths import BLOCKED, READY, RUNNING
from shared.queue.presence import Presence, Worker
from shared.settings import Settings
from shared.web.metering.ledger import LedgerCollector
from tests.integration.gan.test_generate import published_gan
from tests.integration.shared.builders import claimed, committed, queued, running
from tests.integration.shared.graph_builders import last, part
from tests.integration.webhooks.builders import add_webhook, end_job


def measured(sessions: Sessions) -> dict[str, depths.Depth]:
    with sessions() as session:
        return depths.by_queue(session)


def aged(sessions: Sessions, job_id: str, **moments: timedelta) -> None:
    """The job as if it had been made, claimed or ended so long ago."""
    values = {name: func.clock_timestamp() - ago for name, ago in moments.items()}
    committed(
        sessions, lambda s: s.execute(update(JobRow).where(JobRow.id == job_id).values(values))
    )


def test_jobs_are_counted_by_queue_and_by_what_they_wait_for(sessions: Sessions) -> None:
    last(sessions, [part("a", queue="preprocessing")], queue="default")
    queued(sessions, queue="preprocessing")
    running(sessions, queue="preprocessing")
    ended = running(sessions, queue="augmentation")
    committed(sessions, lambda s: ledger.succeed(s, ended, {}))
    found = measured(sessions)
    assert set(found) == {"default", "preprocessing"}
    assert found["default"].counts == {READY: 0, BLOCKED: 1, RUNNING: 0}
    assert found["preprocessing"].counts == {READY: 2, BLOCKED: 0, RUNNING: 1}


def test_the_age_is_that_of_the_oldest_job_that_is_ready(sessions: Sessions) -> None:
    aged(sessions, queued(sessions), created_at=timedelta(hours=1))
    aged(sessions, running(sessions).job_id, created_at=timedelta(hours=9))
    queued(sessions)
    assert measured(sessions)["default"].oldest_seconds == pytest.approx(3600, abs=60)


def test_a_job_is_no_older_than_the_end_of_what_it_waited_for(sessions: Sessions) -> None:
    done = last(sessions, [part("a")])
    aged(sessions, done.job.id, created_at=timedelta(hours=9))
    (ready,) = done.ready
    claim = claimed(sessions, ready.id)
    assert claim is not None
    aged(sessions, done.job.id, created_at=timedelta(hours=9))
    committed(sessions, lambda s: ledger.succeed(s, claim, {}))
    aged(sessions, ready.id, finished_at=timedelta(minutes=10))
    assert measured(sessions)["default"].oldest_seconds == pytest.approx(600, abs=60)


def test_a_job_that_was_handed_back_begins_to_wait_anew(sessions: Sessions) -> None:
    claim = running(sessions)
    aged(sessions, claim.job_id, created_at=timedelta(days=1), claimed_at=timedelta(minutes=5))
    committed(sessions, lambda s: ledger.hand_back(s, claim))
    assert measured(sessions)["default"].oldest_seconds == pytest.approx(300, abs=60)


def test_webhook_messages_that_are_due(sessions: Sessions) -> None:
    with sessions() as session:
        assert depths.deliveries(session) == (0, 0.0)
    add_webhook(sessions, "http://127.0.0.1:8999/hook")
    end_job(sessions)
    with sessions() as session:
        count, overdue_seconds = depths.deliveries(session)
    assert count == 1
    assert 0 <= overdue_seconds < 60


def test_only_trainings_that_run_have_values(sessions: Sessions) -> None:
    runs, rests = published_gan(sessions, default=False), published_gan(sessions, default=False)
    claim = running(sessions, kind="train-gan", target=runs)
    rows = [
        MetricRow(gan_id=runs, step=10, values={"critic_loss": 0.5, "score": 0.25}),
        MetricRow(gan_id=runs, step=20, values={"critic_loss": -1, "note": "text", "flag": True}),
        MetricRow(gan_id=rests, step=1, values={"critic_loss": 1}),
    ]
    committed(sessions, lambda session: session.add_all(rows))
    with sessions() as session:
        assert depths.trainings(session) == {
            runs: {"step": 20.0, "critic_loss": -1.0, "score": 0.25}
        }
    committed(sessions, lambda session: ledger.succeed(session, claim, {}))
    with sessions() as session:
        assert depths.trainings(session) == {}


@pytest.fixture
def away(settings: Settings) -> Iterator[Sessions]:
    wrong = settings.database_url.replace(":5", ":1", 1).rpartition("@")[0] + "@127.0.0.1:1/none"
    engine = make_engine(wrong)
    yield make_sessions(engine)
    engine.dispose()


def exposed(collector: LedgerCollector) -> dict[str, list[tuple[dict[str, str], float]]]:
    registry = CollectorRegistry()
    registry.register(collector)
    return {
        family.name: [(dict(sample.labels), sample.value) for sample in family.samples]
        for family in registry.collect()
    }


def test_a_database_that_is_away_is_said_and_breaks_nothing(away: Sessions) -> None:
    said = exposed(LedgerCollector(away, lambda: {"default": 2}))
    assert said["lesiongan_ledger_up"] == [({}, 0.0)]
    assert ({"queue": "default"}, 2.0) in said["lesiongan_workers"]
    assert "lesiongan_queue_jobs" not in said


def test_every_queue_is_named_also_where_it_is_empty(sessions: Sessions) -> None:
    said = exposed(LedgerCollector(sessions, lambda: None))
    assert said["lesiongan_ledger_up"] == [({}, 1.0)]
    assert len(said["lesiongan_queue_oldest_ready_seconds"]) == 7
    assert "lesiongan_workers" not in said, "nobody knows while Redis is away"


def test_the_answer_is_kept_for_some_seconds(sessions: Sessions) -> None:
    asked: list[int] = []

    def present() -> dict[str, int]:
        asked.append(1)
        return {}

    collector = LedgerCollector(sessions, present)
    first = exposed(collector)
    queued(sessions)
    assert exposed(collector) == first
    assert len(asked) == 1


def test_workers_are_there_while_they_say_so(settings: Settings, bell: object) -> None:
    presence = Presence(settings)
    assert presence.by_queue() == {}
    presence.beat(Worker("a", ["default", "interactive"], "gpu-1", 0.5))
    presence.beat(Worker("b", ["default"]))
    assert presence.by_queue() == {"default": 2, "interactive": 1}
    assert {worker.share for worker in presence.workers() or ()} == {0.5, None}


def test_nobody_knows_of_workers_while_redis_is_away(settings: Settings) -> None:
    wrong = settings.model_copy(
        update={"redis_url": type(settings.redis_url)("redis://127.0.0.1:1")}
    )
    presence = Presence(wrong)
    presence.beat(Worker("a", ["default"]))
    assert presence.by_queue() is None


def test_strangers_make_no_labels(anonymous: httpx.Client, client: httpx.Client) -> None:
    for path in ("/wp-admin", "/jobs/a/b/c", "/%ff"):
        anonymous.get(path)
    anonymous.request("PROPFIND", "/jobs")
    text = anonymous.get("/metrics").text
    assert 'route="unmatched"' in text
    assert 'method="other"' in text
    for word in ("wp-admin", "PROPFIND", "/jobs/a"):
        assert word not in text
