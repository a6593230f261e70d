"""Use cases: take a data set in, preprocess one, preview an image."""

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from lesiongan.contracts.datasets import (
    Layout,
    PreprocessCommand,
    PreprocessOptions,
    SubsetCommand,
)
from services.preprocessing.domain import pipeline
from services.preprocessing.domain.archives import ArchiveLimits, Source
from services.preprocessing.domain.layouts import open_layout
from services.preprocessing.domain.png import decode_grey, encode_grey
from services.preprocessing.domain.preview import before_after
from services.preprocessing.domain.raw_images import RawImage, RawImages, Skipped
from services.preprocessing.domain.subset import draw, left_over
from services.preprocessing.overlap import refuse_overlap
from services.preprocessing.planning import notes_of, options_of, planned, preprocessed
from services.preprocessing.sources import PrefixSource, upload_source
from shared.datasets import reading
from shared.datasets.catalog import NewDataset
from shared.datasets.parts import Part
from shared.datasets.pseudonyms import pseudonym
from shared.datasets.records import ImageMeta, inherited
from shared.datasets.removal import delete_objects
from shared.datasets.writing import DatasetWriter, derived, destination, part_destination
from shared.db import content_lock
from shared.db.tables import UploadRow
from shared.db.tombstones import refuse_withdrawn, withdrawn_patients
from shared.errors import BadInput
from shared.jobs.context import JobContext, Outcome
from shared.plans.parts import divide_if_large
from shared.storage.listing import listing_of
from shared.storage.parts import part_key
from shared.storage.port import ObjectStore

_NO_NEIGHBOUR = "neighbouring slices are missing, or of another kind than their lesion's"


@dataclass(frozen=True, kw_only=True)
class Ingest:
    """What to take in: an upload's archive, or what lies below ``bucket/prefix``.

    ``listing`` is the prefix's :class:`shared.storage.listing.Content` when it was asked for.
    """

    name: str
    layout: Layout
    neighbours: bool = False
    upload: str | None = None
    s3: str | None = None
    listing: str | None = None


def ingest(
    job: JobContext, store: ObjectStore, command: Ingest, *, secret: str, limits: ArchiveLimits
) -> Outcome:
    """Read a source in its layout and store its images exactly, without identifiers.

    A later attempt does not read what lies in complete shards. What was skipped is looked at again:
    so the report is the same, whatever attempt made it.

    Raises :class:`BadInput` for a source that is damaged, unsafe, or not of the layout; the upload
    is removed then, since sending it to the same job again could not help.
    """
    upload = _upload(job, command)
    try:
        with _open(store, command, upload, limits) as source:
            images = open_layout(source, command.layout, neighbours=command.neighbours)
            outcome = _store_raw(job, store, command, images, secret)
    except BadInput:
        with job.fenced() as session:
            _forget(session, command)
        _discard(store, upload)
        raise

    def write(session: Session) -> None:
        outcome.write(session)
        _forget(session, command)

    return Outcome(outcome.output, write, partial(_discard, store, upload))


def _upload(job: JobContext, command: Ingest) -> UploadRow | None:
    if command.upload is None:
        return None
    with job.reading() as session:
        row = session.get(UploadRow, command.upload)
        if row is None:
            refuse_withdrawn(session, [command.upload])
    if row is None:
        raise BadInput("the upload is gone: send the archive again")
    return row


def _open(
    store: ObjectStore, command: Ingest, upload: UploadRow | None, limits: ArchiveLimits
) -> AbstractContextManager[Source]:
    if upload is not None:
        return upload_source(store, upload, limits)
    assert command.s3 is not None, "the route asks for one of the two"
    listing = listing_of(store, command.s3)
    if command.listing is not None and (listing is None or listing.sha256 != command.listing):
        # Its name would be wrong, and a later attempt would mix the old with the new.
        raise BadInput("the objects below this prefix have changed: submit them again")
    return nullcontext(PrefixSource(store, command.s3, limits))


def _forget(session: Session, command: Ingest) -> None:
    session.execute(delete(UploadRow).where(UploadRow.id == command.upload))


def _discard(store: ObjectStore, upload: UploadRow | None) -> None:
    if upload is not None:
        delete_objects(store, [part_key(upload.id, number) for number in range(upload.parts)])


def _store_raw(
    job: JobContext, store: ObjectStore, command: Ingest, images: RawImages, secret: str
) -> Outcome:
    withdrawn = _withdrawn(job)
    skipped: list[Skipped] = []
    noted: Counter[str] = Counter()
    with DatasetWriter(destination(store, job)) as writer:
        writer.resume()
        known = {source for (source,) in writer.records.members("source")}
        if command.neighbours:
            beside = writer.records.members("previous", "following")
            noted[_NO_NEIGHBOUR] = sum(pair.count(None) for pair in beside)
        for done, item in enumerate(images.items(known), start=1):
            job.progress(done, images.expected, "image")
            if isinstance(item, Skipped):
                skipped.append(item)
                continue
            if isinstance(item, RawImage):
                about = _raw_meta(item, secret)
                if about.patient in withdrawn:
                    skipped.append(Skipped(item.file, item.row, "the patient was withdrawn"))
                    noted["images of withdrawn patients left out"] += 1
                    continue
                writer.add(
                    item.png, about, previous=item.previous_png, following=item.following_png
                )
                if command.neighbours:
                    noted[_NO_NEIGHBOUR] += (item.previous_png, item.following_png).count(None)
            noted["boxes clipped to their image"] += item.box_clipped
            noted["lesions marked as possibly noisy"] += item.noisy
        new = NewDataset(
            id=job.target,
            name=command.name,
            kind="raw",
            parents=[],
            command={"layout": command.layout, **_given_neighbours(command)},
            phantom=images.is_phantom,
            job_id=job.job_id,
            skipped=[{"file": s.file, "row": s.row, "reason": s.reason} for s in skipped],
            notes=[f"{count} {what}" for what, count in noted.items() if count],
        )
        write = writer.finish(new)
        return Outcome({"dataset": new.id, "images": len(writer)}, write)


def _given_neighbours(command: Ingest) -> dict[str, bool]:
    return {"neighbours": True} if command.neighbours else {}


def _withdrawn(job: JobContext) -> frozenset[str]:
    """Whose images are to be left out. A withdrawal that is under way is waited for.

    One that comes later finds this attempt running, and has the job begin again.
    """
    with job.reading() as session:
        content_lock.share(session)
        return withdrawn_patients(session)


def _raw_meta(image: RawImage, secret: str) -> ImageMeta:
    return ImageMeta(
        category=image.category,
        split=image.split,
        patient=pseudonym(image.patient, secret),
        source=image.source,
        unit=image.unit,
        width=image.width,
        height=image.height,
        spacing_mm=image.spacing_mm,
        box_px=image.box_px,
        location=image.location,
        window_hu=image.window_hu,
        noisy=image.noisy,
    )


def preprocess(job: JobContext, store: ObjectStore, command: PreprocessCommand) -> Outcome:
    """Split by patient, then HU → contrast → crop for each image.

    Many images are made in parts. A later attempt goes on after the last complete shard. Raises
    :class:`BadInput` for options that do not fit the images.
    """
    plan = planned(job, store, command)
    parent = plan.parent
    divide_if_large(job, [1] * len(parent.records), command)
    with DatasetWriter(destination(store, job)) as writer:
        first = writer.resume()
        for png, meta in preprocessed(store, plan, parent.records[first:]):
            writer.add(png, meta)
            job.progress(len(writer), len(parent.records), "image")
        writer.flush()
        if not command.split.allow_leakage:
            refuse_overlap(job, store, writer.records)
        name = command.name or f"{parent.row.name}, {command.contrast} {command.size} px"
        notes = list(notes_of(plan))
        new = derived(job, parent.row, command, name=name, kind="preprocessed", notes=notes)
        write = writer.finish(new)
        return Outcome({"dataset": new.id, "images": len(writer)}, write)


def preprocess_part(
    job: JobContext, store: ObjectStore, command: PreprocessCommand, dataset_id: str, part: Part
) -> Outcome:
    """The shards of one part of data set ``dataset_id``, as :func:`preprocess` would make them."""
    plan = planned(job, store, command)
    with DatasetWriter(part_destination(store, job, dataset_id, part)) as writer:
        first = part.first_input + writer.resume()
        for png, meta in preprocessed(store, plan, plan.parent.records[first : part.end_input]):
            writer.add(png, meta)
            job.progress(len(writer), part.images, "image")
        writer.flush()
        return Outcome({"images": len(writer)})


def draw_subset(job: JobContext, store: ObjectStore, command: SubsetCommand) -> Outcome:
    """Copy one seed's real images into a data set of their own: a few to train on, a few of val.

    Or those that it leaves over, whose categories are forgotten, or both. Raises :class:`BadInput`
    where a category has too few training images, and where none is left over.
    """
    with job.reading() as session:
        parent = reading.open_dataset(session, store, command.dataset)
    known = list(parent.records.members("category", "split"))
    draws = {"per_category": command.per_category, "seed": command.seed}
    drawn = [] if command.unlabelled else draw(known, **draws)
    wanted = command.unlabelled or command.unlabelled_beside
    forgotten = set(left_over(known, **draws)) if wanted else set()
    chosen = sorted({*drawn, *forgotten})
    if not chosen:
        raise BadInput(f"{parent.row.id} has no training image beside the drawn ones")
    records = parent.records.take(chosen)
    with DatasetWriter(destination(store, job)) as writer:
        first = writer.resume()
        for record, png in reading.iterate(store, parent, records[first:]):
            meta = inherited(record)
            forget = record.index in forgotten
            writer.add(png, replace(meta, category=None) if forget else meta)
            job.progress(len(writer), len(records), "image")
        which = f"{command.per_category} a category, seed {command.seed}"
        if command.unlabelled_beside:
            which += ", and the rest unlabelled"
        name = f"{parent.row.name}, {'all but ' if command.unlabelled else ''}{which}"
        new = derived(job, parent.row, command, name=name, kind="preprocessed")
        write = writer.finish(new)
        return Outcome({"dataset": new.id, "images": len(writer)}, write)


def preview(
    job: JobContext, store: ObjectStore, options: PreprocessOptions, image_key: str
) -> Outcome:
    """Before and after of one image, as a PNG in the store.

    Raises :class:`BadInput` for what is not a grey PNG.
    """
    image = decode_grey(store.get(image_key))
    picture = before_after(image.values, pipeline.SliceMetadata(), options_of(options))
    key = f"results/{job.job_id}/{job.attempt}.png"
    store.put(key, encode_grey(picture), content_type="image/png")
    output: dict[str, Any] = {"object": key, "content_type": "image/png"}
    remove: Callable[[], None] = partial(store.delete, image_key)
    return Outcome(output, afterwards=remove)
