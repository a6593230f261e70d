"""The job that trains a GAN, and the GAN's row with it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from lesiongan.contracts.categories import Category
from lesiongan.contracts.gans import GanCommand
from shared.db.tables import GanRow, JobRow
from shared.jobs.submit import NewJob, Output
from shared.plans.passes import work_of_passes


@dataclass(frozen=True, kw_only=True)
class GanData:
    """What must be known of the images before a training begins."""

    name: str
    phantom: bool
    categories: list[Category]
    image_size: int
    channels: int


def train_gan_job(
    command: GanCommand,
    data: GanData,
    *,
    gan_id: str,
    for_experiment: bool,
    requires: Sequence[NewJob] = (),
) -> NewJob:
    """Train the GAN ``gan_id``; one that is published is finished."""
    given = {**command.model_dump(mode="json"), "categories": list(data.categories)}

    def also(session: Session, job: JobRow) -> None:
        row = session.get(GanRow, gan_id)
        if row is not None:
            row.job_id = job.id
            return
        session.add(
            GanRow(
                id=gan_id,
                name=command.name or f"WGAN-GP of {data.name}",
                dataset_id=command.dataset,
                job_id=job.id,
                phantom=data.phantom,
                for_experiment=for_experiment,
                categories=list(data.categories),
                image_size=data.image_size,
                channels=data.channels,
                steps=command.steps,
                scores={},
                command=given,
            )
        )

    return NewJob(
        kind="train-gan",
        queue="gan-train",
        input=given,
        target=gan_id,
        finished=_published,
        total=command.steps,
        unit="step",
        # A step is one pass of the generator's and all of the critic's.
        work=work_of_passes(
            command.steps * (command.n_critic + 1),
            batch_size=command.batch_size,
            image_size=data.image_size,
        ),
        like=command.model_dump(mode="json", include=_COST_OF_A_STEP),
        exclusive=True,
        requires=requires,
        also=also,
    )


#: What a step costs depends on these in other ways than its passes tell.
_COST_OF_A_STEP = {"batch_size", "n_critic", "width", "consistency", "diff_augment"}


def _published(session: Session, gan_ids: Sequence[str]) -> dict[str, Output]:
    query = select(GanRow.id, GanRow.weights_sha256, GanRow.step).where(GanRow.id.in_(gan_ids))
    return {
        row.id: {"gan": row.id, "weights_sha256": row.weights_sha256, "steps": row.step}
        for row in session.execute(query.where(GanRow.weights_sha256.is_not(None)))
    }
