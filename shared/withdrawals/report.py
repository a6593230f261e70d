"""A withdrawal as its answer says it."""

from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from lesiongan.contracts.withdrawals import (
    Withdrawal,
    WithdrawalSummary,
    WithdrawnDataset,
    WithdrawnModel,
)
from shared.db.tables import (
    ClassifierRow,
    DatasetRow,
    ExperimentRow,
    GanRow,
    JobRow,
    WithdrawalRow,
)
from shared.withdrawals.scope import Scope


def describe(session: Session, scope: Scope, patient: str, *, dry_run: bool) -> Withdrawal:
    """What ``scope`` holds, by name. Its objects are not counted yet."""
    made = scope.made
    return Withdrawal(
        id=None,
        dry_run=dry_run,
        patient=patient,
        datasets=_datasets(session, scope),
        gans=_models(session, GanRow, made.gans),
        classifiers=_models(session, ClassifierRow, made.classifiers),
        experiments=_models(session, ExperimentRow, made.experiments),
        uploads=scope.uploads,
        jobs_cancelled=sorted(made.jobs),
        jobs_restarted=_running(session, scope.ingests),
        results=scope.results,
        unfinished_datasets=sorted([*scope.unfinished, *scope.cut]),
        patient_images=sum(scope.images.values()),
        objects=0,
        bytes=0,
        notes=[],
    )


def counts(found: Withdrawal) -> dict[str, int]:
    """How many of each kind."""
    return {
        "datasets": len(found.datasets),
        "gans": len(found.gans),
        "classifiers": len(found.classifiers),
        "experiments": len(found.experiments),
        "uploads": len(found.uploads),
        "jobs_cancelled": len(found.jobs_cancelled),
        "results": len(found.results),
        "unfinished_datasets": len(found.unfinished_datasets),
    }


def summary(row: WithdrawalRow) -> WithdrawalSummary:
    """A withdrawal as a list shows it."""
    return WithdrawalSummary(
        id=row.id,
        patient=row.patient,
        counts=row.counts,
        patient_images=row.images,
        objects=row.objects,
        bytes=row.bytes,
        created_at=row.created_at,
    )


def _datasets(session: Session, scope: Scope) -> list[WithdrawnDataset]:
    query = select(DatasetRow).where(DatasetRow.id.in_(scope.made.datasets))
    return [
        WithdrawnDataset.model_validate(
            {
                "id": row.id,
                "name": row.name,
                "kind": row.kind,
                "images": row.images,
                "patient_images": scope.images.get(row.id, 0),
            }
        )
        for row in session.scalars(query.order_by(DatasetRow.created_at, DatasetRow.id))
    ]


def _models(
    session: Session,
    table: type[GanRow] | type[ClassifierRow] | type[ExperimentRow],
    ids: Collection[str],
) -> list[WithdrawnModel]:
    query = select(table.id, table.name).where(table.id.in_(ids))
    rows = session.execute(query.order_by(table.created_at, table.id))
    return [WithdrawnModel(id=row.id, name=row.name) for row in rows]


def _running(session: Session, jobs: Sequence[str]) -> list[str]:
    query = select(JobRow.id).where(JobRow.id.in_(jobs), JobRow.status == "running")
    return list(session.scalars(query.order_by(JobRow.id)))
