"""Lost doorbells and silent workers are found; nothing piles up."""

from datetime import timedelta

import pytest
from redis import Redis
from sqlalchemy import text

from deploy.local.servers import Servers
from shared.db.engine import Sessions
from shared.errors import BadInput
from shared.jobs import claims, ledger, sweep
from shared.queue.celery import CeleryDoorbell
from shared.settings import Settings
from shared.storage.s3 import S3Store
from shared.worker.ports import Ports
from shared.worker.sweep import sweep_once
from tests.integration.shared.builders import (
    age_doorbell,
    claimed,
    committed,
    queued,
    row,
    running,
    silence,
)

LOST_AFTER = timedelta(seconds=5)


def ring_lost(sessions: Sessions, bell: CeleryDoorbell) -> int:
    rung = committed(sessions, lambda s: sweep.ring_lost(s, bell, rung_before=LOST_AFTER))
    return int(rung)


def test_a_job_just_submitted_is_not_rung_again(sessions: Sessions, bell: CeleryDoorbell) -> None:
    queued(sessions)
    assert ring_lost(sessions, bell) == 0


def test_after_redis_forgot_all_every_job_is_rung_once(
    sessions: Sessions, bell: CeleryDoorbell, servers: Servers
) -> None:
    ids = [queued(sessions) for _ in range(5)]
    for job_id in ids:
        assert bell.ring("default", job_id)
        age_doorbell(sessions, job_id)
    assert ring_lost(sessions, bell) == 0, "the queue holds messages: theirs may be among them"
    with Redis.from_url(servers.redis_url) as redis:
        redis.flushall()
    assert ring_lost(sessions, bell) == 5
    assert bell.depth("default") == 5
    for job_id in ids:
        age_doorbell(sessions, job_id)
    assert ring_lost(sessions, bell) == 0
    assert bell.depth("default") == 5, "nothing piles up"


def test_one_busy_queue_hides_no_lost_doorbell_of_another(
    sessions: Sessions, bell: CeleryDoorbell
) -> None:
    for queue in ("gan-train", "default"):
        age_doorbell(sessions, queued(sessions, queue=queue))
    bell.ring("gan-train", "job_other")
    assert ring_lost(sessions, bell) == 1
    assert (bell.depth("gan-train"), bell.depth("default")) == (1, 1)


def test_a_job_queued_again_is_rung_at_once(sessions: Sessions, bell: CeleryDoorbell) -> None:
    bell.ring("default", "job_other")
    claim = running(sessions)
    committed(sessions, lambda session: ledger.hand_back(session, claim))
    assert ring_lost(sessions, bell) == 1
    assert ring_lost(sessions, bell) == 0


def test_what_cannot_run_yet_is_not_rung(sessions: Sessions, bell: CeleryDoorbell) -> None:
    parent = queued(sessions, queue="gan-train")
    waits = queued(sessions, parents=[parent])
    pausing = running(sessions)
    committed(
        sessions,
        lambda s: ledger.stall(
            s, claims.hold(s, pausing), BadInput("no"), backoff=timedelta(minutes=1)
        ),
    )
    age_doorbell(sessions, waits)
    assert ring_lost(sessions, bell) == 0
    age_doorbell(sessions, parent)
    assert ring_lost(sessions, bell) == 1


def test_redis_that_is_away_loses_nothing(
    sessions: Sessions, bell: CeleryDoorbell, settings: Settings
) -> None:
    away = CeleryDoorbell(
        settings.model_copy(update={"redis_url": type(settings.redis_url)("redis://127.0.0.1:1/0")})
    )
    assert away.ring("default", "job") is False
    assert away.depth("default") is None
    claim = running(sessions)
    committed(sessions, lambda session: ledger.hand_back(session, claim))
    assert ring_lost(sessions, away) == 0
    assert row(sessions, claim.job_id).rung_at is None
    assert ring_lost(sessions, bell) == 1


def test_one_pass_requeues_and_rings(
    sessions: Sessions, bell: CeleryDoorbell, settings: Settings, store: S3Store
) -> None:
    claim = running(sessions)
    silence(sessions, claim.job_id)
    sweep_once(Ports(settings=settings, sessions=sessions, store=store, bell=bell))
    assert row(sessions, claim.job_id).status == "queued"
    assert bell.depth("default") == 1
    assert claimed(sessions, claim.job_id) is not None


def test_two_sweepers_at_once_count_a_death_once(sessions: Sessions) -> None:
    claim = running(sessions)
    silence(sessions, claim.job_id)
    with sessions() as first, sessions() as second:
        second.execute(text("SET LOCAL lock_timeout = '2s'"))
        assert sweep.requeue_expired(first) == 1
        assert sweep.requeue_expired(second) == 0, "the first holds it"
        first.commit()
        second.commit()
    assert row(sessions, claim.job_id).stalls == 1


def test_a_dead_job_with_a_tangled_graph_does_not_stop_the_sweeper(sessions: Sessions) -> None:
    parent = queued(sessions)
    child = queued(sessions, parents=[parent])
    both = queued(sessions, parents=[parent, child])
    for _ in range(ledger.MAX_STALLS):
        assert claimed(sessions, parent) is not None
        silence(sessions, parent)
        committed(sessions, sweep.requeue_expired)
    assert row(sessions, both).status == "failed"


@pytest.mark.parametrize("queue", ["default", "gan-train"])
def test_depth_counts_messages(bell: CeleryDoorbell, queue: str) -> None:
    assert bell.depth(queue) == 0
    bell.ring(queue, "job_1")
    bell.ring(queue, "job_2")
    assert bell.depth(queue) == 2
    bell.check()
