"""Use cases: train a classifier, ask it about an image."""

import json
from base64 import b64encode
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy.orm import Session

from lesiongan.contracts.classifiers import Classification, ClassifierCommand, Crop
from services.classification import store as rows
from services.classification.domain.calibration import fit_temperature
from services.classification.domain.grad_cam import grad_cam, overlay
from services.classification.domain.prediction import predict
from services.classification.domain.recipe import Recipe
from services.classification.domain.training import TrainingState, train
from services.classification.domain.weights import Shape, save_weights
from services.classification.hot import hot_classifier
from services.classification.loading import ClassifierImages, load_images
from services.classification.pretrained import pretrained_sha256
from services.classification.settings import ClassificationSettings
from services.classification.taught import taught
from services.classification.trainer import Trainer
from shared.compute.precision import choose_precision
from shared.datasets import reading
from shared.datasets.pixels import decode_uint8, encode_image
from shared.db.tables import ClassifierRow
from shared.errors import BadInput
from shared.ids import sha256_of
from shared.jobs.context import JobContext, Outcome
from shared.plans.classifiers import an_epoch, steps_of
from shared.storage.port import ObjectStore

#: How often a training of given ``steps`` is evaluated.
EVALUATIONS = 20


def train_classifier(
    job: JobContext,
    store: ObjectStore,
    command: ClassifierCommand,
    settings: ClassificationSettings,
) -> Outcome:
    """Train from the checkpoint, or from the start, and publish the weights that were kept.

    Raises :class:`BadInput` for data sets that cannot be trained on together.
    """
    with job.reading() as session:
        rows.untrained(session, job.target)
        datasets = [reading.open_dataset(session, store, each) for each in command.datasets]
        unlabelled = [reading.open_dataset(session, store, each) for each in command.unlabelled]
        teacher = None if command.teacher is None else rows.published(session, command.teacher)
    images = load_images(
        store, datasets, unlabelled=unlabelled, without_copies=command.filter_copies
    )
    precision = choose_precision(device=settings.device, threads=settings.threads)
    if teacher is not None:
        images = taught(job, store, images, command, teacher, unlabelled, device=precision.device)
    recipe = _recipe(command, len(images.train))
    shape = Shape(
        command.architecture, images.categories, images.train.image_size, images.train.channels
    )
    if command.pretrained:
        # Refused before the first step, and also where a checkpoint would not ask for the file.
        pretrained_sha256(settings.pretrained, command.architecture, command.pretrained_sha256)
    trainer = Trainer(job, store, recipe, settings)
    state = trainer.resume(shape, precision.device)
    job.progress(state.step, recipe.steps, "step")
    train(state, images.train, images.val, recipe, precision, trainer.callbacks())
    return _published(job, store, state, shape, images, precision.device)


def _recipe(command: ClassifierCommand, images: int) -> Recipe:
    steps = steps_of(command, images)
    by_epochs = command.steps is None
    return Recipe(
        architecture=command.architecture,
        steps=steps,
        evaluate_every=an_epoch(command, images) if by_epochs else max(1, steps // EVALUATIONS),
        patience=command.patience,
        batch_size=command.batch_size,
        learning_rate=command.learning_rate,
        weight_decay=command.weight_decay,
        balance=command.balance,
        synthetic_share=command.synthetic_share,
        seed=command.seed,
        synthetic_first=command.synthetic_first,
        class_weights=command.class_weights,
        distil=command.distil,
        pretrained_sha256=command.pretrained_sha256,
    )


def _published(
    job: JobContext,
    store: ObjectStore,
    state: TrainingState,
    shape: Shape,
    images: ClassifierImages,
    device: str,
) -> Outcome:
    weights = save_weights(state.network, shape)
    digest = sha256_of(weights)
    key = f"classifiers/{job.target}/weights-{digest[:12]}.safetensors"
    store.put(key, weights)
    kept = state.kept
    scores: dict[str, Any] = {"step": state.step, "train": images.counts}
    scores["curve"] = [asdict(point) for point in state.curve]
    if kept is not None:
        scores |= {
            "kept_step": kept.step,
            "val_images": kept.images,
            "val_balanced_accuracy": kept.balanced_accuracy,
            "val_accuracy": kept.accuracy,
            "val_loss": kept.loss,
        }
    if images.val is not None:
        said = predict(state.network, images.val.pixels, device=device)
        scores["temperature"] = fit_temperature(said, images.val.labels)
    stale: list[str] = []

    def write(session: Session) -> None:
        row = rows.get(session, job.target)
        row.categories, row.image_size = list(shape.categories), shape.image_size
        row.channels, row.train_counts, row.scores = shape.channels, images.counts, scores
        row.weights_key, row.weights_sha256 = key, digest
        row.weights_bytes = len(weights)
        if row.checkpoint_key is not None:
            stale.append(row.checkpoint_key)
        row.checkpoint_key = row.checkpoint_sha256 = None

    def clear_away() -> None:
        for known in stale:
            store.delete(known)

    return Outcome(rows.trained(job.target, digest, state.step), write, clear_away)


def classify(
    job: JobContext,
    store: ObjectStore,
    classifier_id: str,
    image_key: str,
    settings: ClassificationSettings,
    *,
    explain: bool = False,
    crop: Crop | None = None,
) -> Outcome:
    """The probabilities of one image, as JSON in the store.

    ``crop``: what was cut of the DICOM file that the image was made of. Raises :class:`BadInput`
    for what is not an 8-bit PNG of the classifier's size and channels.
    """
    with job.reading() as session:
        row = rows.published(session, classifier_id)
    png = store.get(image_key)
    image = _fitting(decode_uint8(png), row)
    network, device = hot_classifier(store, row, settings)
    probabilities = predict(network, image[None], device=device)[0]
    place = int(np.argmax(probabilities))
    looked = None
    if explain:
        heat = grad_cam(network, image, place, device=device)
        looked = b64encode(encode_image(overlay(image, heat))).decode()
    answer = Classification(
        grad_cam=looked,
        crop=crop,
        prepared=b64encode(png).decode() if explain and crop is not None else None,
        category=row.categories[place],  # type: ignore[arg-type]
        probabilities=dict(zip(row.categories, map(float, probabilities), strict=True)),  # type: ignore[arg-type]
    )
    key = f"results/{job.job_id}/{job.attempt}.json"
    store.put(key, json.dumps(answer.model_dump()).encode(), content_type="application/json")
    output: dict[str, Any] = {"object": key, "content_type": "application/json"}
    return Outcome(output, afterwards=partial(store.delete, image_key))


def _fitting(image: npt.NDArray[np.uint8], row: ClassifierRow) -> npt.NDArray[np.uint8]:
    channels, height, width = image.shape
    size = row.image_size
    if (channels, height, width) != (row.channels, size, size):
        raise BadInput(
            f"the image is {width}x{height} px in {channels} channel(s); {row.id} takes "
            f"{size}x{size} px in {row.channels}: preprocess it as its training images were"
        )
    return image
