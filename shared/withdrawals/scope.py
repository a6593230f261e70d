"""Everything that a patient's withdrawal reaches."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from shared.datasets import lineage
from shared.datasets.lineage import Made
from shared.db.references import input_names
from shared.db.tables import JobRow, ShardRow, UploadRow
from shared.withdrawals import patients


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What goes, by id. ``made.jobs`` are the unfinished jobs that end with it."""

    made: Made
    #: Images of the patient in each published data set that holds any.
    images: dict[str, int]
    #: Data sets that were never complete: all of their shards go.
    unfinished: list[str]
    #: Of other data sets in the making, the shards from this number on.
    cut: dict[str, int]
    #: Where the objects of those shards lie.
    cut_keys: list[str]
    uploads: list[str]
    #: Unfinished ingests, whoever they take in.
    ingests: list[str]
    #: Jobs, ended or not, that read or made something of it.
    jobs: list[str]
    #: Those among them whose result was a file.
    results: list[str]

    @property
    def nothing(self) -> bool:
        """Whether the patient is in nothing that was made, and nothing is about to hold them."""
        parts = (self.made.ids, self.made.jobs, self.unfinished, self.cut, self.uploads)
        return not any(parts)

    @property
    def folders(self) -> list[str]:
        """Prefixes below which all objects go."""
        parts = {
            "datasets": [*sorted(self.made.datasets), *self.unfinished],
            "gans": sorted(self.made.gans),
            "classifiers": sorted(self.made.classifiers),
            "experiments": sorted(self.made.experiments),
            "uploads": self.uploads,
            "results": self.results,
        }
        below = [f"{folder}/{each}/" for folder, ids in parts.items() for each in ids]
        return below + [f"interactive/{each}" for each in self.results] + self.cut_keys


def find_scope(session: Session, pseudonyms: Sequence[str]) -> Scope:
    """What a withdrawal reaches as things are; nothing is written."""
    images = patients.images_by_dataset(session, pseudonyms)
    made = lineage.tainted(session, images)
    jobs = _jobs_of(session, made)
    unfinished, cut = _in_the_making(session, pseudonyms, jobs)
    ingests = select(JobRow).where(JobRow.kind == "ingest", JobRow.finished_at.is_(None))
    unended = [row for row in session.scalars(ingests) if row.id not in made.jobs]
    return Scope(
        made=made,
        images=images,
        unfinished=unfinished,
        cut=cut,
        cut_keys=_cut_keys(session, cut),
        uploads=_uploads(session, unended),
        ingests=sorted(row.id for row in unended),
        jobs=sorted(row.id for row in jobs),
        results=sorted(row.id for row in jobs if _makes_a_file(row)),
    )


def _jobs_of(session: Session, made: Made) -> list[JobRow]:
    works = or_(input_names(made.ids), JobRow.target.in_(made.ids), JobRow.id.in_(made.jobs))
    return list(session.scalars(select(JobRow).where(works)))


def _makes_a_file(job: JobRow) -> bool:
    return "image" in job.input or "object" in (job.output or {})


def _in_the_making(
    session: Session, pseudonyms: Sequence[str], jobs: Sequence[JobRow]
) -> tuple[list[str], dict[str, int]]:
    """Unpublished data sets that go as a whole, and where others are cut off."""
    targets = {job.target for job in jobs}
    found = patients.unpublished(session, pseudonyms)
    whole = [each.dataset_id for each in found if each.dataset_id in targets]
    cut = {
        each.dataset_id: each.first_shard
        for each in found
        if each.dataset_id not in targets and each.first_shard is not None
    }
    return whole, cut


def _cut_keys(session: Session, cut: dict[str, int]) -> list[str]:
    query = select(ShardRow).where(ShardRow.dataset_id.in_(cut)).order_by(ShardRow.key)
    return [each.key for each in session.scalars(query) if each.number >= cut[each.dataset_id]]


def _uploads(session: Session, ingests: Sequence[JobRow]) -> list[str]:
    """Archives that no job is about to read: nobody can say whom they hold."""
    awaited = [job.input["upload"] for job in ingests if "upload" in job.input]
    query = select(UploadRow.id).where(UploadRow.id.not_in(awaited)).order_by(UploadRow.id)
    return list(session.scalars(query))
