"""What a preprocessing does to each slice, planned before the first is read."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lesiongan.contracts.categories import Split
from lesiongan.contracts.datasets import PreprocessCommand, PreprocessOptions
from services.preprocessing.decoding import decoded, encode_image
from services.preprocessing.domain import pipeline
from services.preprocessing.domain.perceptual_hash import perceptual_hash
from services.preprocessing.domain.split import SplitItem, SplitResult, assign_splits
from shared.datasets import reading
from shared.datasets.columns import Records
from shared.datasets.kept import Kept
from shared.datasets.reading import StoredDataset
from shared.datasets.records import ImageMeta, ImageRecord
from shared.jobs.context import JobContext
from shared.storage.port import ObjectStore


@dataclass(frozen=True)
class Plan:
    """What is known before an image is read."""

    parent: StoredDataset
    command: PreprocessCommand
    options: pipeline.PreprocessOptions
    split: SplitResult


#: The last one, by content and options: each part of a data set asks for the split of all of it,
#: which takes a second for 32,000 images.
_splits: Kept[tuple[str, str], SplitResult] = Kept(1, size=lambda _: 1)


def planned(job: JobContext, store: ObjectStore, command: PreprocessCommand) -> Plan:
    """Opens the data set and splits it. Raises :class:`BadInput` for a split that cannot be."""
    with job.reading() as session:
        parent = reading.open_dataset(session, store, command.dataset)
    key = parent.row.sha256, command.split.model_dump_json()
    split = _splits.get(key, lambda: _split(parent.records, command, on_pass=job.check))
    return Plan(parent, command, options_of(command), split)


def preprocessed(
    store: ObjectStore, plan: Plan, records: Records
) -> Iterator[tuple[bytes, ImageMeta]]:
    """Each record's picture, and what is known of it."""

    def rows(record: ImageRecord) -> int:
        shape = record.height, record.width
        return pipeline.rows_needed(shape, _metadata(record), plan.options)

    neighbours = plan.command.neighbours
    for record, slices in decoded(store, plan.parent, records, neighbours=neighbours, rows=rows):
        made = pipeline.preprocess_stack(slices, _metadata(record), plan.options)
        yield encode_image(made.image), _made_meta(record, made, plan.split.splits[record.index])


def _split(
    records: Records, command: PreprocessCommand, *, on_pass: Callable[[], None]
) -> SplitResult:
    items = [
        SplitItem(category=category, patient=patient, sha256=sha256, split=split)
        for category, patient, sha256, split in records.members(
            "category", "patient", "sha256", "split"
        )
    ]
    asked = command.split
    return assign_splits(
        items,
        fractions=(asked.train, asked.val, asked.test),
        seed=asked.seed,
        keep=asked.keep,
        overlap=asked.allow_leakage,
        on_pass=on_pass,
    )


def options_of(command: PreprocessOptions) -> pipeline.PreprocessOptions:
    """As the domain knows them."""
    return pipeline.PreprocessOptions(
        contrast=command.contrast,
        crop=command.crop,
        size=command.size,
        spacing_mm=command.spacing_mm,
        context_mm=command.context_mm,
        window=command.window,
    )


def _metadata(record: ImageRecord) -> pipeline.SliceMetadata:
    return pipeline.SliceMetadata(
        spacing_mm=record.spacing_mm, box_px=record.box_px, window_hu=record.window_hu
    )


def _fields_grown(records: Records, options: pipeline.PreprocessOptions) -> int:
    """How many lesions are too large for the wanted spacing; from what is known of them alone."""
    grown = 0
    for height, width, spacing_mm, box_px in records.members(
        "height", "width", "spacing_mm", "box_px"
    ):
        about = pipeline.SliceMetadata(spacing_mm=spacing_mm, box_px=box_px)
        grown += pipeline.choose_crop((height, width), about, options)[0].grown
    return grown


def _made_meta(record: ImageRecord, made: pipeline.Preprocessed, split: Split | None) -> ImageMeta:
    height, width = made.image.shape[-2:]
    return ImageMeta(
        category=record.category,
        split=split,
        patient=record.patient,
        source=record.source,
        unit="uint8",
        width=width,
        height=height,
        spacing_mm=made.spacing_mm,
        box_px=made.box_px,
        location=record.location,
        window_hu=made.window_hu,
        noisy=record.noisy,
        parent_index=record.index,
        channels=1 if made.image.ndim == 2 else 3,
        phash=perceptual_hash(made.image),
    )


def notes_of(plan: Plan) -> Iterator[str]:
    """What a reader of the data set should know of how it was made."""
    split, records = plan.split, plan.parent.records
    yield "the source's own split is kept" if split.kept else "split anew, by patient"
    if split.without_patient:
        yield f"{split.without_patient} images without a patient: each is a group of its own"
    for category, name in split.missing:
        yield f"no {category} image in {name}"
    eight_bit = sum(unit == "uint8" for (unit,) in records.members("unit"))
    if eight_bit:
        yield f"{eight_bit} images of 8 bits passed the HU steps unchanged"
    grown = _fields_grown(records, plan.options)
    if grown:
        yield f"{grown} fields of view were widened to hold their lesion"
    yield from _stood_in(plan)


def _stood_in(plan: Plan) -> Iterator[str]:
    if plan.command.neighbours:
        beside = plan.parent.records.members("previous", "following")
        missing = sum(pair.count(None) for pair in beside)
        sides = 2 * len(plan.parent.records)
        yield f"{missing} of {sides} neighbouring slices are missing: the lesion's stands in"
