"""Use cases: train a GAN, sample one."""

from collections.abc import Iterator
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from sqlalchemy.orm import Session

from lesiongan.contracts.categories import Category
from lesiongan.contracts.gans import GanCommand, GenerateCommand
from services.gan import store as rows
from services.gan.domain.batches import load_training_images
from services.gan.domain.config import Architecture, Training
from services.gan.domain.precision import Precision, choose_precision
from services.gan.domain.sampling import sample_batches
from services.gan.domain.state import TrainingState
from services.gan.domain.training import train
from services.gan.domain.weights import save_weights
from services.gan.hot import hot_generator
from services.gan.settings import GanSettings
from services.gan.trainer import Trainer
from shared.datasets import reading
from shared.datasets.catalog import NewDataset
from shared.datasets.contact_sheet import encode_image
from shared.datasets.records import ImageMeta
from shared.datasets.writing import DatasetWriter, destination, growing_shards
from shared.db.tables import GanRow
from shared.ids import sha256_of
from shared.jobs.context import JobContext, Outcome
from shared.storage.port import ObjectStore


def train_gan(
    job: JobContext, store: ObjectStore, command: GanCommand, settings: GanSettings
) -> Outcome:
    """Train from the newest checkpoint, or from the start, and publish the averaged generator.

    Raises :class:`BadInput` for a data set that cannot be trained on.
    """
    gan_id = job.target
    with job.reading() as session:
        gan = rows.get(session, gan_id)
        dataset = reading.open_dataset(session, store, command.dataset)
    architecture, training = _architecture(gan, command), _training(command)
    images, labels = reading.load_train(store, dataset, _categories(gan))
    precision = choose_precision(device=settings.device, threads=settings.threads)
    data = load_training_images(images, labels, architecture, device=precision.device)
    trainer = Trainer(job, store, gan_id, settings)
    state = trainer.resume(architecture, training, precision.device)
    job.progress(state.step, training.steps, "step")
    train(state, data, precision=precision, callbacks=trainer.callbacks())
    job.check()
    return _published(store, gan, state, precision)


def _published(
    store: ObjectStore, gan: GanRow, state: TrainingState, precision: Precision
) -> Outcome:
    # Nothing that differs from run to run: equal trainings publish equal bytes.
    card = {
        "dataset": gan.dataset_id,
        "phantom": str(gan.phantom).lower(),
        "step": str(state.step),
        "device_class": precision.device_class,
        "synthetic": "Images made with these weights are synthetic: not for diagnosis.",
    }
    weights = save_weights(state.average, card)
    digest = sha256_of(weights)
    key = f"gans/{gan.id}/weights-{digest[:12]}.safetensors"
    store.put(key, weights)

    def write(session: Session) -> None:
        rows.publish(session, gan.id, weights_key=key, weights_sha256=digest, step=state.step)

    return Outcome({"gan": gan.id, "weights_sha256": digest, "steps": state.step}, write)


def _architecture(gan: GanRow, command: GanCommand) -> Architecture:
    return Architecture(
        image_size=gan.image_size,
        channels=gan.channels,
        categories=tuple(gan.categories),
        width=command.width,
        latent_size=command.latent,
    )


def _training(command: GanCommand) -> Training:
    return Training(
        steps=command.steps,
        batch_size=command.batch_size,
        n_critic=command.n_critic,
        gradient_penalty=command.gradient_penalty,
        learning_rate=command.learning_rate,
        betas=(command.beta1, command.beta2),
        ema_decay=command.ema_decay,
        seed=command.seed,
        checkpoint_every=command.checkpoint_every,
        preview_every=command.preview_every,
        metrics_every=min(10, command.steps),
    )


def generate(
    job: JobContext, store: ObjectStore, command: GenerateCommand, settings: GanSettings
) -> Outcome:
    """Sample ``n`` images of a category into shards that grow, so that streams start early.

    A later attempt goes on after the last complete shard: image ``i`` depends on (weights, seed, i)
    alone.
    """
    with job.reading() as session:
        gan = rows.published(session, command.gan)
    generator, precision = hot_generator(store, gan, settings)
    with DatasetWriter(destination(store, job), plan=growing_shards) as writer:
        first = writer.resume()
        batches = sample_batches(
            generator,
            [gan.categories.index(command.category)] * (command.n - first),
            seed=command.seed,
            indices=range(first, command.n),
            draws=[0] * (command.n - first),
            precision=precision,
        )
        for index, image in enumerate(_images(batches), start=first):
            writer.add(encode_image(image), _synthetic_meta(gan, command, index, image))
            job.progress(len(writer), command.n, "image")
        write = writer.finish(_synthetic_dataset(job, gan, command, precision))
        return Outcome({"dataset": job.target, "images": len(writer), "gan": gan.id}, write)


def _images(batches: Iterator[npt.NDArray[np.uint8]]) -> Iterator[npt.NDArray[np.uint8]]:
    for batch in batches:
        yield from batch


def _synthetic_meta(
    gan: GanRow, command: GenerateCommand, index: int, image: npt.NDArray[np.uint8]
) -> ImageMeta:
    return ImageMeta(
        category=command.category,
        split="train",
        patient=None,
        source=f"{gan.id}, image {index}",
        unit="uint8",
        width=image.shape[2],
        height=image.shape[1],
        seed=command.seed,
        draw=0,
    )


def _synthetic_dataset(
    job: JobContext, gan: GanRow, command: GenerateCommand, precision: Precision
) -> NewDataset:
    given: dict[str, Any] = {
        **command.model_dump(mode="json"),
        "weights_sha256": gan.weights_sha256,
        "device_class": precision.device_class,
    }
    return NewDataset(
        id=job.target,
        name=f"{command.n} synthetic {command.category} images of {gan.name}",
        kind="synthetic",
        parents=[gan.dataset_id],
        command=given,
        phantom=gan.phantom,
        job_id=job.job_id,
    )


def _categories(gan: GanRow) -> list[Category]:
    return cast("list[Category]", gan.categories)
