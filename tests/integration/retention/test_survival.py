"""A collection that is killed, or whose store is away, loses nothing; a later one goes on."""

import os
import signal
import subprocess
import sys
import time

from sqlalchemy import select, update

from deploy.local.servers import Servers
from shared.db.tables import JobRow, UploadRow
from shared.jobs import sweep
from shared.storage.s3 import S3Store
from shared.worker.ports import Ports
from tests.integration.retention import builders
from tests.integration.retention.builders import ago, collect, collected, keys, run
from tests.integration.shared.builders import committed, queued, row, silence

ORPHANS = 400
COLLECT = """
import sys
from services.worker import find_task
from shared.settings import get_settings
from shared.worker.ports import connect
from shared.worker.runner import JobRunner
JobRunner(connect(get_settings()), find_task, worker="victim").run(sys.argv[1])
"""


def test_a_killed_collection_is_gone_on_with(
    ports: Ports, store: S3Store, servers: Servers
) -> None:
    sessions = ports.sessions
    kept = builders.upload(sessions, store, since=ago(0))
    for number in range(ORPHANS):
        store.put(f"gans/x_1/previews/{number:08d}.png", b"1")
    job_id = queued(sessions, kind="collect", input={}, target="collection")
    environment = {
        **os.environ,
        **servers.environment,
        "LESIONGAN_S3_BUCKET": ports.settings.s3_bucket,
        "LESIONGAN_ORPHAN_GRACE_HOURS": "0",
    }
    with subprocess.Popen([sys.executable, "-c", COLLECT, job_id], env=environment) as victim:
        try:
            while len(keys(store)) > ORPHANS - 20 and victim.poll() is None:
                time.sleep(0.01)
        finally:
            victim.send_signal(signal.SIGKILL)
    left = len(keys(store))
    assert 2 < left < ORPHANS, "killed in the middle"
    assert row(sessions, job_id).status == "running"
    silence(sessions, job_id)
    committed(sessions, lambda session: sweep.requeue_expired(session, max_stalls=3))
    settings = ports.settings.model_copy(update={"orphan_grace_hours": 0})
    again = Ports(settings=settings, sessions=sessions, store=store, bell=ports.bell)
    done = run(again, job_id)
    assert (done.status, done.attempts) == ("succeeded", 2)
    assert keys(store) == {f"uploads/{kept}/{number:06d}.part" for number in range(2)}


def test_rows_that_went_without_their_objects_leave_orphans(ports: Ports, store: S3Store) -> None:
    """Killed between the commit and the deleting that follows it."""
    upload = builders.upload(ports.sessions, store, since=ago(hours=72))
    with ports.sessions() as session:
        session.delete(session.scalars(select(UploadRow)).one())
        session.commit()
    store.delete(f"uploads/{upload}/000000.part")
    assert collected(ports, orphan_grace_hours=0) == {"orphans": 1, "bytes": 3}
    assert keys(store) == set()


def test_a_store_that_is_away_puts_the_collection_off(ports: Ports, store: S3Store) -> None:
    builders.upload(ports.sessions, store, since=ago(hours=72))
    away = ports.settings.model_copy(update={"s3_endpoint": "127.0.0.1:9"})
    without = Ports(settings=away, sessions=ports.sessions, store=S3Store(away), bell=ports.bell)
    job = row(ports.sessions, collect(without))
    assert (job.status, job.stalls) == ("queued", 1)
    query = update(JobRow).values(not_before=None)
    committed(ports.sessions, lambda session: session.execute(query))
    settings = ports.settings.model_copy(update={"orphan_grace_hours": 0})
    back = Ports(settings=settings, sessions=ports.sessions, store=store, bell=ports.bell)
    assert run(back, job.id).status == "succeeded"
    assert keys(store) == set(), "the row went before the store was found to be away"
