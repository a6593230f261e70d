"""What the tests of the shared room build on: jobs in a state, and small data sets."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Any

import cv2
import numpy as np
from sqlalchemy import func, update
from sqlalchemy.orm import Session

from lesiongan.contracts.categories import Category, Split
from lesiongan.contracts.datasets import DatasetKind
from shared.datasets.catalog import NewDataset
from shared.datasets.records import ImageMeta
from shared.datasets.writing import DatasetWriter, Destination
from shared.db.engine import Sessions
from shared.db.tables import JobRow
from shared.ids import new_id
from shared.jobs import claims, ledger
from shared.jobs.claims import Claim
from shared.jobs.submit import Finished, Idempotency, NewJob, Output, Submitted, submit
from shared.storage.port import ObjectStore

LEASE = timedelta(seconds=30)


def new_job(**members: Any) -> NewJob:
    """A job of no service."""
    return NewJob(**{"kind": "probe", "queue": "default", "input": {"n": 1}, **members})


def done_before(output: Output) -> Finished:
    """What says that each target was made before, with ``output``."""
    return lambda _, targets: dict.fromkeys(targets, output)


def submitted(
    sessions: Sessions,
    *,
    key_id: str = "key",
    idempotency: Idempotency | None = None,
    **members: Any,
) -> Submitted:
    """A committed submission of :func:`new_job`."""
    with sessions() as session:
        done = submit(session, lambda _: new_job(**members), key_id=key_id, idempotency=idempotency)
        session.commit()
    return done


def queued(sessions: Sessions, **members: Any) -> str:
    """The id of a queued job."""
    return submitted(sessions, **members).job.id


def claimed(
    sessions: Sessions, job_id: str, *, worker: str = "w", device: str | None = None
) -> Claim | None:
    """A committed claim, or None."""
    with sessions() as session:
        claim = claims.take(session, job_id, worker=worker, lease=LEASE, device=device)
        session.commit()
    return claim


def running(sessions: Sessions, **members: Any) -> Claim:
    """The claim of a running job."""
    claim = claimed(sessions, queued(sessions, **members))
    assert claim is not None
    return claim


def row(sessions: Sessions, job_id: str) -> JobRow:
    """The job as it is committed now."""
    with sessions() as session:
        return ledger.get(session, job_id)


def committed(sessions: Sessions, write: Callable[[Session], Any]) -> Any:
    """What ``write`` returns, once it is committed."""
    with sessions() as session:
        value = write(session)
        session.commit()
    return value


def silence(sessions: Sessions, job_id: str) -> None:
    """Let the lease of a running job lie in the past, as if its worker had paused."""
    past = func.clock_timestamp() - timedelta(seconds=1)
    query = update(JobRow).where(JobRow.id == job_id).values(lease_expires_at=past)
    committed(sessions, lambda session: session.execute(query))


def age_doorbell(sessions: Sessions, job_id: str) -> None:
    """Let the doorbell have rung a minute ago."""
    past = func.clock_timestamp() - timedelta(minutes=1)
    query = update(JobRow).where(JobRow.id == job_id).values(rung_at=past)
    committed(sessions, lambda session: session.execute(query))


def grey_png(value: int, *, size: int = 8) -> bytes:
    """A small 8-bit PNG; equal values, equal bytes."""
    image = np.full((size, size), value % 256, np.uint8)
    image[0, 0] = value // 256
    done, data = cv2.imencode(".png", image)
    assert done
    return data.tobytes()


def meta(
    category: Category | None = "liver",
    split: Split | None = "train",
    patient: str | None = "p",
    **members: Any,
) -> ImageMeta:
    """An 8-bit image of 8 px."""
    known = {"source": "test", "unit": "uint8", "width": 8, "height": 8, **members}
    return ImageMeta(category=category, split=split, patient=patient, **known)


def fence(sessions: Sessions, claim: Claim) -> Callable[..., AbstractContextManager[Session]]:
    """What a job's context gives to the writer of its data set."""

    @contextmanager
    def fenced(*, milestone: bool = False) -> Iterator[Session]:
        with sessions() as session:
            held = claims.hold(session, claim)
            if milestone:
                held.stalls = 0
            yield session
            session.commit()

    return fenced


def destination(sessions: Sessions, store: ObjectStore, claim: Claim) -> Destination:
    """Where an attempt writes the data set that is its target."""
    assert claim.target is not None
    return Destination(
        store=store,
        fence=fence(sessions, claim),
        dataset_id=claim.target,
        job_id=claim.job_id,
        attempt=claim.attempt,
    )


def stored_dataset(
    sessions: Sessions,
    store: ObjectStore,
    images: Sequence[tuple[bytes, ImageMeta]],
    *,
    parents: Sequence[str] = (),
    kind: DatasetKind = "preprocessed",
) -> str:
    """The id of a published data set of ``images``."""
    claim = running(sessions, target=new_id("ds"))
    with DatasetWriter(destination(sessions, store, claim)) as writer:
        for png, about in images:
            writer.add(png, about)
        new = new_dataset(claim, parents=parents, kind=kind)
        write = writer.finish(new)
    with sessions() as session:
        write(session)
        ledger.succeed(session, claim, {"dataset": new.id})
        session.commit()
    return new.id


def new_dataset(
    claim: Claim, *, parents: Sequence[str] = (), kind: DatasetKind = "preprocessed"
) -> NewDataset:
    """The data set that is a claim's target."""
    assert claim.target is not None
    return NewDataset(
        id=claim.target,
        name="a test's",
        kind=kind,
        parents=parents,
        command={},
        phantom=True,
        job_id=claim.job_id,
    )
