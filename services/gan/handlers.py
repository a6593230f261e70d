"""Use cases: train a GAN, sample one."""

from collections.abc import Iterator, Sequence

from sqlalchemy.orm import Session

from lesiongan.contracts.categories import UNLABELLED
from lesiongan.contracts.gans import (
    MAX_IMAGES,
    MOST_DRAWS,
    GanCommand,
    GenerateCommand,
    GenerateSetCommand,
)
from services.gan import options
from services.gan import store as rows
from services.gan.card import weights_card
from services.gan.domain.batches import NO_LABEL, load_training_images
from services.gan.domain.examination import Examination
from services.gan.domain.feature_space import feature_steps
from services.gan.domain.generator import Generator
from services.gan.domain.screening import Request, screened
from services.gan.domain.state import TrainingState
from services.gan.domain.training import train
from services.gan.domain.weights import save_weights
from services.gan.examiner import Examiner
from services.gan.hot import hot_generator
from services.gan.references import (
    PAIRS,
    Pictures,
    held_out,
    inception_judge,
    put_file,
    sampling_reference,
    training_reference,
)
from services.gan.settings import GanSettings
from services.gan.synthetic import categories_of, synthetic_dataset, synthetic_meta
from services.gan.together import (
    Images,
    KeptImages,
    Wanted,
    fitting,
    places_left,
    sample_together,
)
from services.gan.trainer import Trainer
from shared.compute.precision import Precision, choose_precision
from shared.datasets import catalog, reading
from shared.datasets.pixels import encode_image, load_train
from shared.datasets.writing import DatasetWriter, destination
from shared.db.gans import comparable, released
from shared.db.tables import DatasetRow, GanRow
from shared.errors import BadInput, Conflict
from shared.ids import sha256_of
from shared.jobs.context import JobContext, Outcome
from shared.storage.port import ObjectStore

#: Images of jobs that wait, made beside those of others: at most a batch of single ones, twice.
_kept = KeptImages(at_most=128)


def train_gan(
    job: JobContext, store: ObjectStore, command: GanCommand, settings: GanSettings
) -> Outcome:
    """Train from the newest checkpoint, or from the start, and publish the averaged generator.

    Raises :class:`BadInput` for a data set that cannot be trained on, and for a file of Inception's
    weights that is none.
    """
    gan_id = job.target
    with job.reading() as session:
        gan = rows.untrained(session, gan_id)
        dataset = reading.open_dataset(session, store, command.dataset)
    train_split = load_train(store, dataset, categories_of(gan), unlabelled=command.sees_unlabelled)
    known = Pictures(*train_split[:2])
    val = held_out(store, dataset, categories_of(gan), known)
    architecture = options.architecture(gan, command)
    training = options.training(command, unlabelled=bool((known.labels == NO_LABEL).any()))
    precision = choose_precision(device=settings.device, threads=settings.threads)
    data = load_training_images(*known, architecture, device=precision.device)
    steps = feature_steps(training.steps)
    reference = training_reference(job, store, known, val, steps=steps, precision=precision)
    inception = inception_judge(settings, known, val, precision, job.check)
    examiner = Examiner(reference, training, precision, inception)
    trainer = Trainer(job, store, gan_id, settings)
    state = trainer.resume(architecture, training, precision.device, init_from=command.init_from)
    job.progress(state.step, training.steps, "step")
    train(state, data, precision=precision, callbacks=trainer.callbacks(examiner))
    job.check()
    found = examiner.examine(state.published(), known.images)
    return _published(store, gan, dataset.row, state, found, precision)


def _published(
    store: ObjectStore,
    gan: GanRow,
    data: DatasetRow,
    state: TrainingState,
    found: Examination,
    precision: Precision,
) -> Outcome:
    # Nothing that differs from run to run: equal trainings publish equal bytes.
    training = state.training.to_json()
    card = {
        "dataset": gan.dataset_id,
        "phantom": str(gan.phantom).lower(),
        "step": str(state.published_step),
        "training": training,
        "device_class": precision.device_class,
        "model_card": weights_card(gan, data, found.scores),
        "synthetic": "Images made with these weights are synthetic: not for diagnosis.",
    }
    weights = save_weights(state.published(), card)
    digest = sha256_of(weights)
    key = f"gans/{gan.id}/weights-{digest[:12]}.safetensors"
    store.put(key, weights)
    pairs = None
    if found.pairs is not None:
        pairs = put_file(store, gan.id, PAIRS, encode_image(found.pairs), "png")

    def write(session: Session) -> None:
        if pairs is not None:
            session.merge(pairs)
        rows.publish(
            session,
            gan.id,
            weights_key=key,
            weights_sha256=digest,
            weights_bytes=len(weights),
            step=state.step,
            scores=found.scores,
        )

    return Outcome(rows.trained(gan.id, digest, state.step), write)


def generate(
    job: JobContext, store: ObjectStore, command: GenerateCommand, settings: GanSettings
) -> Outcome:
    """Sample ``n`` images of a category into shards that grow, so that streams start early.

    A later attempt goes on after the last complete shard: image ``i`` depends on (weights, seed, i)
    alone.
    """
    with job.reading() as session:
        gan = released(session, command.gan)
    labels = _labels(gan, command)
    name = f"{command.n} synthetic {command.category} images of {gan.name}"
    return _sample(job, store, gan, labels, command, settings, name=name)


def _labels(gan: GanRow, command: GenerateCommand) -> list[int]:
    return [gan.categories.index(command.category)] * command.n


def generate_set(
    job: JobContext, store: ObjectStore, command: GenerateSetCommand, settings: GanSettings
) -> Outcome:
    """Sample every category that a data set has training images of.

    Raises :class:`BadInput` for a category that the GAN does not know.
    """
    with job.reading() as session:
        gan = comparable(session, command.gan)
        counts = catalog.get(session, command.dataset).counts["train"]
    unknown = sorted(set(counts) - set(gan.categories) - {UNLABELLED})
    if unknown:
        raise BadInput(f"{gan.id} does not know {', '.join(unknown)}")
    labels = [
        label
        for label, category in enumerate(gan.categories)
        for _ in range(command.images_of(counts.get(category, 0)))
    ]
    if not 1 <= len(labels) <= MAX_IMAGES:
        raise BadInput(f"{len(labels)} images were asked for: 1 to {MAX_IMAGES} are made")
    name = f"{len(labels)} synthetic images of {gan.name}"
    return _sample(job, store, gan, labels, command, settings, name=name)


def _sample(
    job: JobContext,
    store: ObjectStore,
    gan: GanRow,
    labels: Sequence[int],
    command: GenerateCommand | GenerateSetCommand,
    settings: GanSettings,
    *,
    name: str,
) -> Outcome:
    """Image ``i`` is of category ``labels[i]``; what an earlier attempt stored is kept."""
    generator, precision = hot_generator(store, gan, settings)
    with job.reading() as session:
        reference = sampling_reference(session, store, gan.id, precision, settings)
    seed = command.seed
    with DatasetWriter(destination(store, job)) as writer:
        first = writer.resume()
        rest, indices = labels[first:], range(first, len(labels))
        request = Request(generator, rest, seed, indices, precision, command.truncation)
        own = Wanted(job.job_id, seed, rest, first)
        batches = _batches(job, gan, own, generator, precision, truncation=command.truncation)
        samples = screened(batches, request, reference)
        for index, (image, draw, too_near) in enumerate(samples, start=first):
            if too_near and not gan.for_experiment:
                raise Conflict(
                    f"{gan.id} gives back training images: so are all of {MOST_DRAWS} draws of "
                    f"image {index}"
                )
            meta = synthetic_meta(gan, labels[index], image, seed=seed, index=index, draw=draw)
            writer.add(encode_image(image), meta)
            job.progress(len(writer), len(labels), "image")
        draws = [draw or 0 for (draw,) in writer.records.members("draw")]
        given = command.model_dump(mode="json")
        notes = _screening_notes(draws, last_kept=gan.for_experiment)
        about = synthetic_dataset(job, gan, precision, name=name, command=given, notes=notes)
        counts = {"images": len(writer), "redrawn": sum(draws)}
        return Outcome({"dataset": job.target, **counts, "gan": gan.id}, writer.finish(about))


def _screening_notes(draws: Sequence[int], *, last_kept: bool) -> list[str]:
    """Of the draw that each image is; ``last_kept``: the last one also where it came too near."""
    notes, last = [], draws.count(MOST_DRAWS - 1) if last_kept else 0
    if any(draws):
        notes.append(f"{sum(draws)} draws were thrown away: they came too near to a training image")
    if last:
        notes.append(f"{last} images were drawn {MOST_DRAWS} times, the most: they may be copies")
    return notes


def _batches(
    job: JobContext,
    gan: GanRow,
    own: Wanted,
    generator: Generator,
    precision: Precision,
    *,
    truncation: float | None,
) -> Iterator[Images]:
    """The images of a job: made before, beside another one's, or now, with those of others."""
    made = _kept.take(own.job_id)
    if made is not None and own.first == 0:
        return iter([made])
    places = places_left(generator, len(own.labels), precision)
    with job.reading() as session:
        waiting = rows.waiting_beside(
            session, job.job_id, gan.id, truncation=truncation, at_most=places
        )
    others = [Wanted(each, asked.seed, _labels(gan, asked)) for each, asked in waiting]
    others = fitting([each for each in others if each.job_id not in _kept], places)
    return sample_together(
        generator, own, others, _kept, precision=precision, truncation=truncation
    )
