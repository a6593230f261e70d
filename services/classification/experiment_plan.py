"""What ``POST /experiments`` checks, and the job with the graph that it submits."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from lesiongan.contracts.arms import WITH_GAN, Arm
from lesiongan.contracts.datasets import PreprocessCommand, PreprocessSettings
from lesiongan.contracts.experiments import ExperimentCommand
from lesiongan.contracts.gans import IMAGE_SIZES
from services.classification.drawing import Made, Source
from services.classification.planned import (
    ExperimentPlan,
    Lineage,
    PlannedExperiment,
    PlannedPoint,
)
from services.classification.planning import SeedPlan
from services.classification.pretrained import pretrained_sha256
from shared.datasets import catalog, reading
from shared.datasets.identity import run_id, unnamed
from shared.db.gans import comparable
from shared.db.tables import DatasetRow, ExperimentRow, JobRow
from shared.errors import BadInput
from shared.jobs.notices import JOBS
from shared.jobs.submit import NewJob
from shared.plans.datasets import preprocess_job
from shared.storage.port import ObjectStore


def plan_experiment(
    session: Session,
    store: ObjectStore,
    command: ExperimentCommand,
    *,
    pretrained: Path | None = None,
) -> NewJob:
    """The comparison, and all jobs that it requires. ``pretrained``: the folder of such weights.

    Raises :class:`NotFound`, :class:`Conflict` and :class:`BadInput` for what could only fail.
    """
    dataset = catalog.get(session, command.dataset)
    source = _source(session, store, dataset, command)
    if command.gan_id is not None:
        _check_gan(session, command.gan_id, command, source)
    asked = command.model_dump(mode="json")
    weights = None
    if command.classifier.pretrained:
        weights = pretrained_sha256(pretrained, command.classifier.architecture)
    experiment_id = run_id("exp", "experiment", {**unnamed(asked), "pretrained": weights})
    points = [
        [SeedPlan(command, source, seed, size, weights) for seed in range(command.seeds)]
        for size in command.sizes
    ]
    classifiers = [
        {arm: [seed.classifier(arm) for seed in seeds] for arm in command.arms} for seeds in points
    ]
    plan = ExperimentPlan(
        preprocessed=source.dataset_id,
        points=[_point(*each) for each in zip(command.sizes, points, classifiers, strict=True)],
        lineage=[
            Lineage(what="preprocessed images", id=source.dataset_id),
            *(line for seeds in points for seed in seeds for line in seed.lineage),
        ],
    )
    given = PlannedExperiment.model_validate({**asked, "plan": plan}).model_dump(mode="json")
    return NewJob(
        kind="experiment",
        queue="classification",
        input=given,
        target=experiment_id,
        finished=_finished,
        total=1,
        unit=JOBS,
        work=sum(len(made) for by_arm in classifiers for made in by_arm.values()),
        requires=[
            job
            for by_arm in classifiers
            for each in by_arm.values()
            for made in each
            for job in made.requires
        ],
        also=lambda session, job: _add_row(session, job, command, source),
    )


def _point(
    size: int | None, seeds: list[SeedPlan], classifiers: dict[Arm, list[Made]]
) -> PlannedPoint:
    return PlannedPoint(
        train_per_category=size,
        classifiers={arm: [made.id for made in each] for arm, each in classifiers.items()},
        real=[seed.real for seed in seeds],
        synthetic=[each for seed in seeds for each in seed.synthetic],
        seen_by_gans=[each for seed in seeds for each in seed.seen_by_gan],
    )


def _most(command: ExperimentCommand) -> int:
    """Real training images of each category that some seed draws; 0: all are taken."""
    return max(size or 0 for size in command.sizes)


def _source(
    session: Session, store: ObjectStore, dataset: DatasetRow, command: ExperimentCommand
) -> Source:
    if dataset.kind == "raw":
        return _raw_source(dataset, command)
    if dataset.kind != "preprocessed":
        raise BadInput(f"data set {dataset.id} is {dataset.kind}: an experiment makes its own arms")
    if command.preset is not None:
        raise BadInput(f"the preset {command.preset} preprocesses: it needs a raw data set")
    if command.preprocess is not None:
        raise BadInput(f"data set {dataset.id} is preprocessed already: leave preprocess out")
    categories = catalog.labelled_categories(dataset, ["train"])
    if len(categories) < 2:
        raise BadInput(f"data set {dataset.id} has training images of fewer than two categories")
    catalog.require_train(dataset, categories, at_least=_most(command) or 1)
    catalog.require_test(dataset, categories)
    return Source(
        dataset_id=dataset.id,
        name=dataset.name,
        phantom=dataset.phantom,
        categories=categories,
        image_size=reading.square_size(session, store, dataset, IMAGE_SIZES),
        channels=reading.channels(session, store, dataset),
        images=dataset.images,
        train=sum(dataset.counts["train"].get(name, 0) for name in categories),
        bytes_an_image=dataset.bytes / dataset.images,
    )


def _raw_source(dataset: DatasetRow, command: ExperimentCommand) -> Source:
    settings = command.preprocess or PreprocessSettings()
    categories = catalog.labelled_categories(dataset, dataset.counts)
    if len(categories) < 2:
        raise BadInput(f"data set {dataset.id} has labelled images of fewer than two categories")
    totals = {name: sum(n.get(name, 0) for n in dataset.counts.values()) for name in categories}
    # One for each split at the least, or the training images asked for and one to test on.
    needed = max(3, _most(command) + 1)
    lacking = [name for name, images in totals.items() if images < needed]
    if lacking:
        names = ", ".join(lacking)
        raise BadInput(f"data set {dataset.id} has fewer than {needed} images of {names}")
    if settings.neighbours:
        catalog.require_neighbours(dataset)
    asked = PreprocessCommand(dataset=dataset.id, **settings.model_dump())
    job = preprocess_job(asked, images=dataset.images)
    assert job.target is not None, "jobs that make data sets name them"
    return Source(
        dataset_id=job.target,
        name=dataset.name,
        phantom=dataset.phantom,
        categories=categories,
        image_size=settings.size,
        channels=3 if settings.neighbours else 1,
        images=dataset.images,
        train=round(settings.split.train * sum(totals.values())),
        # A PNG of noisy tissue takes about a byte a pixel.
        bytes_an_image=settings.size**2,
        requires=[job],
    )


def _check_gan(session: Session, gan_id: str, command: ExperimentCommand, source: Source) -> None:
    gan = comparable(session, gan_id)
    if not WITH_GAN & set(command.arms):
        raise BadInput("none of the arms uses a GAN: leave gan_id out")
    unknown = [name for name in source.categories if name not in gan.categories]
    if unknown:
        raise BadInput(f"{gan.id} does not know {', '.join(unknown)}, which the arms need")
    if (gan.image_size, gan.channels) != (source.image_size, source.channels):
        raise BadInput(
            f"{gan.id} makes images of {gan.image_size} px in {gan.channels} channel(s), and the "
            f"data set's have {source.image_size} px in {source.channels}"
        )
    if gan.dataset_id != source.dataset_id or command.train_per_category is not None:
        raise BadInput(
            f"{gan.id} has seen other images than the arms train on: it must have been trained "
            f"on {source.dataset_id}, and train_per_category must be null"
        )
    parent = gan.command.get("init_from")
    if parent is not None:
        raise BadInput(
            f"{gan.id} began with the weights of {parent}, which saw other images, maybe those "
            "that the arms are tested on: it must have been trained from the start"
        )


def _finished(session: Session, experiment_ids: Sequence[str]) -> dict[str, dict[str, str]]:
    query = select(ExperimentRow.id).where(ExperimentRow.id.in_(experiment_ids))
    ended = session.scalars(query.where(ExperimentRow.result.is_not(None)))
    return {experiment_id: {"experiment": experiment_id} for experiment_id in ended}


def _add_row(session: Session, job: JobRow, command: ExperimentCommand, source: Source) -> None:
    assert job.target is not None, "the plan names the experiment"
    row = session.get(ExperimentRow, job.target)
    if row is not None:
        row.job_id = job.id
        return
    arms: list[Arm] = command.arms
    session.add(
        ExperimentRow(
            id=job.target,
            name=command.name or f"{', '.join(arms)} on {source.name}",
            dataset_id=command.dataset,
            job_id=job.id,
            phantom=source.phantom,
            seeds=command.seeds,
            categories=list(source.categories),
            command=command.model_dump(mode="json"),
        )
    )
