"""What the system does now: its queues, devices and disk, by the ledger and by who is there."""

import shutil
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lesiongan.contracts.console import (
    DeviceStatus,
    DiskStatus,
    QueueStatus,
    Status,
    StoredStatus,
)
from shared.db.tables import ClassifierRow, DatasetRow, GanRow, JobRow
from shared.jobs import depths
from shared.jobs.states import State
from shared.queue.port import QUEUES
from shared.queue.presence import Worker

CPU = "cpu"


def status(session: Session, workers: Sequence[Worker] | None, data_folder: Path | None) -> Status:
    """All of it. ``workers`` is None while Redis is away, where they say that they are there."""
    return Status(
        queues=_queues(session, workers),
        devices=_devices(session, workers or ()),
        stored=_stored(session),
        disk=_disk(data_folder),
    )


def _queues(session: Session, workers: Sequence[Worker] | None) -> list[QueueStatus]:
    known = depths.by_queue(session)
    return [
        QueueStatus(
            queue=queue,
            **(depth := known.get(queue, depths.Depth())).counts,
            oldest_ready_seconds=depth.oldest_seconds,
            workers=None if workers is None else sum(queue in each.queues for each in workers),
        )
        for queue in QUEUES
    ]


def _devices(session: Session, workers: Sequence[Worker]) -> list[DeviceStatus]:
    on: dict[str, list[Worker]] = defaultdict(list)
    for worker in sorted(workers, key=lambda each: each.name):
        on[worker.gpu or CPU].append(worker)
    query = select(JobRow.device, JobRow.id).where(
        JobRow.exclusive, JobRow.status == State.RUNNING, JobRow.finished_at.is_(None)
    )
    trainings: dict[str, list[str]] = defaultdict(list)
    for device, job_id in session.execute(query):
        trainings[device if device in on else CPU].append(job_id)
    return [
        DeviceStatus(
            device=device,
            workers=[each.name for each in there],
            memory_share=_share(there),
            trainings=trainings[device],
        )
        for device, there in on.items()
    ]


def _share(workers: Sequence[Worker]) -> float | None:
    shares = [each.share for each in workers]
    return None if None in shares else sum(share for share in shares if share is not None)


def _stored(session: Session) -> StoredStatus:
    datasets, dataset_bytes = session.execute(
        select(func.count(), func.coalesce(func.sum(DatasetRow.bytes), 0))
    ).one()
    models, model_bytes = zip(
        *(_weights(session, row) for row in (GanRow, ClassifierRow)), strict=True
    )
    return StoredStatus(
        datasets=datasets,
        dataset_bytes=int(dataset_bytes),
        models=sum(models),
        model_bytes=sum(model_bytes),
    )


def _weights(session: Session, table: type[GanRow] | type[ClassifierRow]) -> tuple[int, int]:
    """How many models of a kind are trained, and the bytes of their weights."""
    size = func.coalesce(func.sum(table.weights_bytes), 0)
    count, total = session.execute(select(func.count(table.weights_key), size)).one()
    return count, int(total or 0)


def _disk(folder: Path | None) -> DiskStatus | None:
    if folder is None:
        return None
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return None
    return DiskStatus(total_bytes=usage.total, free_bytes=usage.free)
