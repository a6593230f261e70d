"""Use case: make images of a manifest again."""

from collections.abc import Sequence
from itertools import chain

from lesiongan.contracts.gans import ManifestImage, RegenerateCommand
from services.gan import store as rows
from services.gan.domain.reference import Reference
from services.gan.domain.sampling import sample_batches
from services.gan.domain.screening import too_near
from services.gan.hot import hot_generator
from services.gan.references import sampling_reference
from services.gan.settings import GanSettings
from services.gan.synthetic import categories_of, synthetic_dataset, synthetic_meta
from services.gan.together import Images
from shared.compute.precision import Precision
from shared.datasets.pixels import encode_image
from shared.datasets.records import ImageRecord
from shared.datasets.writing import DatasetWriter, destination
from shared.db.tables import GanRow
from shared.errors import Conflict
from shared.jobs.context import JobContext, Outcome
from shared.storage.port import ObjectStore


def regenerate(
    job: JobContext, store: ObjectStore, command: RegenerateCommand, settings: GanSettings
) -> Outcome:
    """Sample the images that the command names, in its order, by the numbers that made them.

    The outcome counts those that are the same bytes: all, on the class of device that made them.
    Raises :class:`Conflict` if the GAN's weights are not those of the manifest, or if it names a
    draw that is too near to a training image: sampling had thrown that away.
    """
    manifest, wanted = command.manifest, command.wanted()
    with job.reading() as session:
        gan = rows.for_manifest(session, command)
    generator, precision = hot_generator(store, gan, settings)
    with job.reading() as session:
        reference = sampling_reference(session, store, gan.id, precision, settings)
    names = [manifest.category_of(each) for each in wanted]
    labels = [categories_of(gan).index(name) for name in names if name is not None]
    with DatasetWriter(destination(store, job)) as writer:
        first = writer.resume()
        rest = wanted[first:]
        batches = sample_batches(
            generator,
            labels[first:],
            seed=[each.seed for each in rest],
            indices=[each.index for each in rest],
            draws=[each.draw for each in rest],
            precision=precision,
            truncation=manifest.truncation,
        )
        checked = (without_copies(batch, reference, gan, precision) for batch in batches)
        images = chain.from_iterable(checked)
        for label, each, image in zip(labels[first:], rest, images, strict=True):
            drawn = {"seed": each.seed, "index": each.index, "draw": each.draw}
            writer.add(encode_image(image), synthetic_meta(gan, label, image, **drawn, again=True))
            job.progress(len(writer), len(wanted), "image")
        same = identical(wanted, writer.records)
        new = synthetic_dataset(
            job,
            gan,
            precision,
            name=f"{len(wanted)} images of {gan.name}, made again",
            command=given(command),
            notes=_notes(same, len(wanted), precision),
        )
        write = writer.finish(new)
        made = {"dataset": job.target, "images": len(writer), "gan": gan.id, "identical": same}
        return Outcome(made, write)


def without_copies(
    images: Images, reference: Reference | None, gan: GanRow, precision: Precision
) -> Images:
    """The images [n, C, H, W]; raises :class:`Conflict` if one of them is a copy."""
    copies = int(too_near(reference, images, precision).sum())
    if copies:
        raise Conflict(
            f"{copies} of the manifest's images are too near to training images of {gan.id}: "
            "leave out those that no data set of it holds"
        )
    return images


def given(command: RegenerateCommand) -> dict[str, object]:
    """The command as the data set keeps it: its records say the rest."""
    manifest = command.manifest.model_dump(mode="json", exclude={"images"})
    return {**manifest, "indices": command.indices}


def identical(wanted: Sequence[ManifestImage], made: Sequence[ImageRecord]) -> int:
    """How many images are the bytes that the manifest names."""
    return sum(a.sha256 == b.sha256 for a, b in zip(wanted, made, strict=True))


def _notes(same: int, images: int, precision: Precision) -> list[str]:
    if same == images:
        return []
    which = f"{images - same} of {images} images differ from the manifest's in some bytes"
    return [f"{which}: these were made on {precision.device_class}"]
