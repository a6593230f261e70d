"""Jobs that ended long ago, with what they left; and a collection of it."""

from datetime import timedelta
from typing import Any, Literal

from sqlalchemy import func, insert, update

from services.worker import find_task
from shared.db.base import Base
from shared.db.engine import Sessions
from shared.db.tables import CheckpointRow, ClassifierRow, GanRow, JobRow, ShardRow, UploadRow
from shared.errors import BadInput
from shared.ids import new_id
from shared.jobs import graphs, ledger
from shared.storage.parts import part_key
from shared.storage.port import ObjectStore
from shared.worker.ports import Ports
from shared.worker.runner import JobRunner
from tests.integration.shared.builders import committed, queued, row, running

End = Literal["succeeded", "failed", "cancelled"]
ago = timedelta


def collected(ports: Ports, **settings: float) -> dict[str, Any]:
    """What a collection under these settings counts, of what it removed."""
    job = row(ports.sessions, collect(ports, **settings))
    assert job.status == "succeeded", job.error
    assert job.output is not None
    return {name: count for name, count in job.output.items() if count}


def collect(ports: Ports, **settings: float) -> str:
    """The id of a collection that has run, however it ended."""
    adjusted = Ports(
        settings=ports.settings.model_copy(update=settings),
        sessions=ports.sessions,
        store=ports.store,
        bell=ports.bell,
    )
    job_id = queued(ports.sessions, kind="collect", input={}, target="collection")
    JobRunner(adjusted, find_task, worker="w").run(job_id)
    return job_id


def run(ports: Ports, job_id: str) -> JobRow:
    """The job as its run leaves it."""
    JobRunner(ports, find_task, worker="w").run(job_id)
    return row(ports.sessions, job_id)


def ended(sessions: Sessions, how: End, since: timedelta, **members: Any) -> str:
    """The id of a job that ended ``since`` ago."""
    claim = running(sessions, **members)
    ends = {
        "succeeded": lambda s: ledger.succeed(s, claim, {}),
        "failed": lambda s: ledger.fail(s, claim, BadInput("no")),
        "cancelled": lambda s: ledger.cancelled(s, claim),
    }
    committed(sessions, ends[how])
    age(sessions, claim.job_id, since)
    return claim.job_id


def age(sessions: Sessions, job_id: str, since: timedelta) -> None:
    """Let a job have ended ``since`` ago."""
    then = func.clock_timestamp() - since
    query = update(JobRow).where(JobRow.id == job_id).values(finished_at=then, created_at=then)
    committed(sessions, lambda session: session.execute(query))


def add(sessions: Sessions, made: Base) -> None:
    """Commit a row."""
    committed(sessions, lambda session: session.add(made))


def retried(sessions: Sessions, job_id: str) -> str:
    """The id of an ended job that is queued again."""
    committed(sessions, lambda session: graphs.retry(session, job_id))
    return job_id


def upload(sessions: Sessions, store: ObjectStore, *, since: timedelta) -> str:
    """The id of an upload of two parts of 3 bytes that came ``since`` ago."""
    upload_id = new_id("up")
    for number in range(2):
        store.put(part_key(upload_id, number), b"zip")
    query = insert(UploadRow).values(
        id=upload_id,
        bytes=6,
        parts=2,
        part_bytes=3,
        sha256="",
        created_at=func.clock_timestamp() - since,
    )
    committed(sessions, lambda session: session.execute(query))
    return upload_id


def gan_row(gan_id: str, job_id: str = "job") -> GanRow:
    """A GAN without anything."""
    return GanRow(
        id=gan_id,
        name="",
        dataset_id="ds",
        job_id=job_id,
        phantom=True,
        categories=[],
        image_size=64,
        channels=1,
        steps=1,
        scores={},
        command={},
    )


def gan(sessions: Sessions, store: ObjectStore, job_id: str) -> GanRow:
    """A GAN with a checkpoint of 5 bytes, whose training is ``job_id``."""
    target = row(sessions, job_id).target
    assert target is not None
    made = gan_row(target, job_id)
    key = f"gans/{target}/checkpoints/1.safetensors"
    store.put(key, b"state")
    add(sessions, made)
    checkpoint = CheckpointRow(gan_id=target, step=1, key=key, sha256="")
    add(sessions, checkpoint)
    return made


def classifier(sessions: Sessions, store: ObjectStore, job_id: str) -> ClassifierRow:
    """A classifier with a checkpoint of 5 bytes, whose training is ``job_id``."""
    target = row(sessions, job_id).target
    assert target is not None
    key = f"classifiers/{target}/checkpoints/1.safetensors"
    store.put(key, b"state")
    made = ClassifierRow(
        id=target,
        name="",
        datasets=[],
        job_id=job_id,
        phantom=True,
        architecture="",
        categories=[],
        train_counts={},
        scores={},
        checkpoint_key=key,
        checkpoint_sha256="",
        command={},
    )
    add(sessions, made)
    return made


def shard(sessions: Sessions, store: ObjectStore, job_id: str) -> str:
    """The key of a shard of 5 bytes that ``job_id`` has made of its data set."""
    target = row(sessions, job_id).target
    assert target is not None
    key = f"datasets/{target}/{job_id}/shards/00000-1.tar"
    store.put(key, b"shard")
    made = ShardRow(
        dataset_id=target, number=0, key=key, first_index=0, images=1, bytes=5, sha256=""
    )
    add(sessions, made)
    return key


def keys(store: ObjectStore) -> set[str]:
    """All that lies in the bucket."""
    return {listed.key for listed in store.list("")}
