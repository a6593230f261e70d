"""All that the database holds at the end of a run, and which ask each job belongs to."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from shared.db.tables import (
    CheckpointRow,
    ClassifierRow,
    DatasetRow,
    ExperimentRow,
    GanFileRow,
    GanRow,
    IdempotencyRow,
    JobParentRow,
    JobRow,
    PreviewRow,
    ShardRow,
    UploadRow,
)
from shared.retention.schedule import KIND
from shared.storage.parts import part_key
from tests.chaos.asking import Asking
from tests.chaos.mix import Ask


@dataclass(frozen=True)
class Rows:
    """The tables, read in one transaction."""

    jobs: Mapping[str, JobRow]
    keys: Mapping[str, str]
    links: Sequence[JobParentRow]
    datasets: Mapping[str, DatasetRow]
    shards: Sequence[ShardRow]
    gans: Mapping[str, GanRow]
    classifiers: Mapping[str, ClassifierRow]
    experiments: Mapping[str, ExperimentRow]
    checkpoints: Sequence[CheckpointRow]
    previews: Sequence[PreviewRow]
    gan_files: Sequence[GanFileRow]
    uploads: Sequence[UploadRow]
    #: Ids of jobs by the number of their ask; several for a stream that broke.
    by_ask: dict[int, list[str]] = field(default_factory=dict)

    def named_objects(self) -> set[str]:
        """Keys of all objects that a row names."""
        named = {row.key for row in self.shards}
        for files in (self.checkpoints, self.previews, self.gan_files):
            named |= {row.key for row in files}
        named |= {row.manifest_key for row in self.datasets.values()}
        for gan in self.gans.values():
            named.add(gan.weights_key or "")
        for classifier in self.classifiers.values():
            named |= {classifier.weights_key or "", classifier.checkpoint_key or ""}
        for experiment in self.experiments.values():
            named |= {experiment.report_key or "", experiment.predictions_key or ""}
        for upload in self.uploads:
            named |= {part_key(upload.id, number) for number in range(upload.parts)}
        for job in self.jobs.values():
            named |= {(job.output or {}).get("object", ""), self._staged(job)}
        return named - {""}

    def staged(self) -> set[str]:
        """Keys of images that interactive jobs were given, and remove when they succeed."""
        return {self._staged(job) for job in self.jobs.values()} - {""}

    @staticmethod
    def _staged(job: JobRow) -> str:
        return str(job.input.get("image", ""))


def read(session: Session, asking: Asking, asks: Sequence[Ask]) -> Rows:
    """What there is now."""
    keys = {row.idempotency_key: row.job_id for row in session.scalars(select(IdempotencyRow))}
    rows = Rows(
        jobs={row.id: row for row in session.scalars(_asked_for())},
        keys=keys,
        links=session.scalars(select(JobParentRow)).all(),
        datasets={row.id: row for row in session.scalars(select(DatasetRow))},
        shards=session.scalars(select(ShardRow).order_by(ShardRow.number)).all(),
        gans={row.id: row for row in session.scalars(select(GanRow))},
        classifiers={row.id: row for row in session.scalars(select(ClassifierRow))},
        experiments={row.id: row for row in session.scalars(select(ExperimentRow))},
        checkpoints=session.scalars(select(CheckpointRow)).all(),
        previews=session.scalars(select(PreviewRow)).all(),
        gan_files=session.scalars(select(GanFileRow)).all(),
        uploads=session.scalars(select(UploadRow)).all(),
    )
    streams = _of_streams(rows)
    for ask in asks:
        if ask.streamed:
            rows.by_ask[ask.number] = streams[int(ask.params["seed"])]
        else:
            key = asking.key(ask)
            rows.by_ask[ask.number] = [keys[key]] if key in keys else []
    return rows


def _asked_for() -> Select[JobRow]:
    """All but what the stack asks itself for."""
    return select(JobRow).where(JobRow.kind != KIND)


def _of_streams(rows: Rows) -> dict[int, list[str]]:
    """Ids of generate jobs by their seed, oldest first."""
    found: dict[int, list[str]] = defaultdict(list)
    for row in sorted(rows.jobs.values(), key=lambda row: row.created_at):
        if row.kind == "generate":
            found[row.input["seed"]].append(row.id)
    return found


def graph_of(rows: Rows, job_id: str) -> set[str]:
    """A job and all that it waits for."""
    parents: dict[str, list[str]] = defaultdict(list)
    for link in rows.links:
        parents[link.job_id].append(link.parent_id)
    found = [job_id]
    for known in found:
        found += [parent for parent in parents[known] if parent not in found]
    return set(found)
