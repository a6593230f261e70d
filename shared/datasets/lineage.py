"""What derives from what: the one place that follows lineage, for deletions and withdrawals."""

from collections.abc import Collection
from dataclasses import dataclass, fields

from sqlalchemy import ColumnElement, false, or_, select
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.orm import InstrumentedAttribute, Session

from shared.db.references import input_names
from shared.db.tables import ClassifierRow, DatasetRow, ExperimentRow, GanRow, JobParentRow, JobRow

Ids = frozenset[str]


@dataclass(frozen=True)
class Made:
    """Ids of things that belong together, and of the unfinished jobs that read or make them."""

    datasets: Ids = frozenset()
    gans: Ids = frozenset()
    classifiers: Ids = frozenset()
    experiments: Ids = frozenset()
    jobs: Ids = frozenset()

    def __or__(self, other: "Made") -> "Made":
        return Made(*(getattr(self, f.name) | getattr(other, f.name) for f in fields(self)))

    @property
    def ids(self) -> list[str]:
        """All but the jobs, sorted."""
        return sorted(self.datasets | self.gans | self.classifiers | self.experiments)


def derived(session: Session, dataset_id: str) -> Made:
    """A data set and everything that was made from it, at any remove."""
    return _closure(session, Made(datasets=frozenset({dataset_id})), only_synthetic=False)


def tainted(session: Session, datasets: Collection[str]) -> Made:
    """``datasets``, what was trained on them or sampled from it, and the jobs that work on any.

    Images that were only copied or cropped of them say themselves whose they are: such sets belong
    to it where they are among ``datasets``.
    """
    found = Made(datasets=frozenset(datasets))
    while True:
        more = _closure(session, found, only_synthetic=True)
        more |= Made(jobs=_unfinished(session, more))
        if more == found:
            return found
        found = more


def _closure(session: Session, found: Made, *, only_synthetic: bool) -> Made:
    while True:
        more = found | _one_step(session, found, only_synthetic=only_synthetic)
        if more == found:
            return found
        found = more


def _one_step(session: Session, known: Made, *, only_synthetic: bool) -> Made:
    made_of = or_(
        _any_of(DatasetRow.parents, known.datasets),
        DatasetRow.command["gan"].astext.in_(known.gans),
    )
    if only_synthetic:
        made_of &= DatasetRow.kind == "synthetic"
    trained = or_(
        GanRow.dataset_id.in_(known.datasets),
        GanRow.job_id.in_(known.jobs),
        GanRow.command["init_from"].astext.in_(known.gans),
    )
    taught = or_(
        _any_of(ClassifierRow.datasets, known.datasets), ClassifierRow.job_id.in_(known.jobs)
    )
    parts = known.datasets | known.gans | known.classifiers
    compares = select(JobRow.id).where(JobRow.kind == "experiment", input_names(parts))
    compared = or_(
        ExperimentRow.dataset_id.in_(known.datasets),
        ExperimentRow.job_id.in_(known.jobs),
        ExperimentRow.job_id.in_(compares),
    )
    return Made(
        datasets=_ids(session, DatasetRow.id, made_of),
        gans=_ids(session, GanRow.id, trained),
        classifiers=_ids(session, ClassifierRow.id, taught),
        experiments=_ids(session, ExperimentRow.id, compared),
    )


def _unfinished(session: Session, known: Made) -> Ids:
    """Jobs that have not ended and read or make something known, and what waits for those."""
    works = or_(input_names(known.ids), JobRow.target.in_(known.ids), JobRow.id.in_(known.jobs))
    found = select(JobRow.id).where(JobRow.finished_at.is_(None), works).cte("w", recursive=True)
    waiting = (
        select(JobParentRow.job_id)
        .join(found, JobParentRow.parent_id == found.c.id)
        .join(JobRow, JobRow.id == JobParentRow.job_id)
        .where(JobRow.finished_at.is_(None))
    )
    return frozenset(session.scalars(select(found.union(waiting).c.id)))


def _any_of(column: InstrumentedAttribute[list[str]], ids: Ids) -> ColumnElement[bool]:
    """Whether a JSON list holds one of ``ids``."""
    return column.has_any(array(sorted(ids))) if ids else false()


def _ids(session: Session, column: InstrumentedAttribute[str], where: ColumnElement[bool]) -> Ids:
    return frozenset(session.scalars(select(column).where(where)))
