"""A patient's withdrawal: rows in one transaction, objects after it."""

import logging
from collections.abc import Sequence
from itertools import chain

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from lesiongan.contracts.withdrawals import Withdrawal
from shared.datasets import reading, removal
from shared.db import content_lock
from shared.db.engine import Sessions
from shared.db.tables import (
    JobEventRow,
    JobRow,
    ShardRow,
    TombstoneRow,
    UploadRow,
    WithdrawalRow,
    WithdrawnPatientRow,
)
from shared.errors import LesionGanError
from shared.ids import new_id
from shared.jobs import ledger
from shared.jobs.submit import GRAPHS
from shared.storage.port import Listed, ObjectStore
from shared.withdrawals import patients, report
from shared.withdrawals.scope import Scope, find_scope

log = logging.getLogger(__name__)


def preview(sessions: Sessions, store: ObjectStore, pseudonyms: Sequence[str]) -> Withdrawal:
    """What :func:`withdraw` would remove; nothing is removed.

    Raises :class:`shared.storage.port.StoreUnavailable`.
    """
    unreadable = patients.read_unknown(sessions, store)
    with sessions() as session:
        scope = find_scope(session, pseudonyms)
        found = report.describe(session, scope, pseudonyms[0], dry_run=True)
    objects = _objects(store, scope)
    notes = _notes(found, unreadable)
    return found.model_copy(update={**_size(objects), "notes": notes})


def withdraw(sessions: Sessions, store: ObjectStore, pseudonyms: Sequence[str]) -> Withdrawal:
    """Remove all that holds a patient or was made of what does, and take in no more of them.

    ``pseudonyms`` are all that the patient may have; the first stands for the patient. Once the
    rows are committed nothing of it can be read: objects that the store does not delete then are
    left to the collector. Raises :class:`shared.storage.port.StoreUnavailable` before that.
    """
    unreadable = patients.read_unknown(sessions, store)
    with sessions() as session:
        content_lock.exclude(session)
        ledger.lock_target(session, GRAPHS)
        scope = find_scope(session, pseudonyms)
        found = report.describe(session, scope, pseudonyms[0], dry_run=False)
        earlier = session.get(WithdrawnPatientRow, pseudonyms[0])
        if earlier is not None and scope.nothing:
            notes = [f"the patient withdrew before ({earlier.withdrawal_id}): nothing is left"]
            return found.model_copy(update={"id": earlier.withdrawal_id, "notes": notes})
        withdrawal_id = _record(session, found, pseudonyms)
        _end_jobs(session, scope)
        _delete_rows(session, scope, withdrawal_id)
        session.commit()
    reading.forget_manifests()
    notes = _notes(found, unreadable)
    removed, complete = _delete_objects(store, scope)
    if not complete:
        notes.append("the object store did not delete everything: the collector does so later")
    _record_size(sessions, withdrawal_id, removed)
    return found.model_copy(update={"id": withdrawal_id, **_size(removed), "notes": notes})


def _record(session: Session, found: Withdrawal, pseudonyms: Sequence[str]) -> str:
    row = WithdrawalRow(
        id=new_id("wdr"),
        patient=found.patient,
        counts=report.counts(found),
        images=found.patient_images,
    )
    session.add(row)
    session.flush()
    names = [{"patient": each, "withdrawal_id": row.id} for each in pseudonyms]
    session.execute(insert(WithdrawnPatientRow).on_conflict_do_nothing(), names)
    return row.id


def _end_jobs(session: Session, scope: Scope) -> None:
    """Fence out the workers: of what goes, and of ingests, which begin again without the patient.

    Rows are locked parents first, as everywhere.
    """
    ids = [*scope.made.jobs, *scope.ingests]
    query = select(JobRow.id).where(JobRow.id.in_(ids)).order_by(JobRow.created_at, JobRow.id)
    held = session.scalars(query.with_for_update()).all()
    for job_id in held:
        if job_id in scope.made.jobs:
            ledger.revoke(session, job_id)
        else:
            ledger.interrupt(session, job_id)
    session.execute(delete(JobEventRow).where(JobEventRow.job_id.in_(scope.jobs)))


def _delete_rows(session: Session, scope: Scope, withdrawal_id: str) -> None:
    removal.delete_rows(session, scope.made)
    session.execute(delete(ShardRow).where(ShardRow.dataset_id.in_(scope.unfinished)))
    for dataset_id, number in scope.cut.items():
        later = (ShardRow.dataset_id == dataset_id, ShardRow.number >= number)
        session.execute(delete(ShardRow).where(*later))
    session.execute(delete(UploadRow).where(UploadRow.id.in_(scope.uploads)))
    made = scope.made
    kinds = {
        "data set": [*made.datasets, *scope.unfinished],
        "GAN": made.gans,
        "classifier": made.classifiers,
        "experiment": made.experiments,
        "upload": scope.uploads,
        "result of": scope.results,
    }
    session.add_all(
        TombstoneRow(id=each, kind=kind, withdrawal_id=withdrawal_id)
        for kind, ids in kinds.items()
        for each in ids
    )


def _objects(store: ObjectStore, scope: Scope) -> list[Listed]:
    return list(chain.from_iterable(store.list(folder) for folder in scope.folders))


def _delete_objects(store: ObjectStore, scope: Scope) -> tuple[list[Listed], bool]:
    """What was there to delete, and whether all of it is gone."""
    try:
        found = _objects(store, scope)
    except LesionGanError as error:
        log.warning("a withdrawal's objects are left to be collected: %s", error.detail)
        return [], False
    return found, removal.delete_objects(store, [each.key for each in found])


def _record_size(sessions: Sessions, withdrawal_id: str, removed: Sequence[Listed]) -> None:
    with sessions() as session:
        row = session.get_one(WithdrawalRow, withdrawal_id)
        row.objects, row.bytes = len(removed), sum(each.bytes for each in removed)
        session.commit()


def _size(objects: Sequence[Listed]) -> dict[str, int]:
    return {"objects": len(objects), "bytes": sum(each.bytes for each in objects)}


def _notes(found: Withdrawal, unreadable: Sequence[str]) -> list[str]:
    notes = []
    if not found.patient_images:
        notes.append(
            "no data set holds images of this patient: check the identifier; once withdrawn, it "
            "is left out of whatever is taken in later"
        )
    if found.uploads:
        notes.append("uploads go because nobody can say whom they hold: send them again")
    if unreadable:
        names = ", ".join(unreadable)
        notes.append(f"the manifest of {names} is gone, so nobody can say whom it holds: delete it")
    return notes
