"""Writing a data set: images into shards, shards into the store, rows once they are complete."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Protocol

from sqlalchemy.orm import Session

from lesiongan.contracts.base import Command
from lesiongan.contracts.datasets import DatasetKind
from shared.datasets import catalog
from shared.datasets.behind import Behind
from shared.datasets.catalog import NewDataset, Place
from shared.datasets.columns import Records
from shared.datasets.manifest import read_manifest, write_manifest
from shared.datasets.parts import SHARD_NUMBERS, Part
from shared.datasets.records import ImageMeta
from shared.datasets.removal import delete_objects
from shared.datasets.shards import MAX_IMAGES, Shard, ShardWriter
from shared.db.tables import DatasetRow, ShardRow
from shared.errors import AlreadyMade, BadInput
from shared.observability import metrics, tracing
from shared.storage.port import ObjectStore


class Fence(Protocol):
    """Opens a transaction that commits only while its job's attempt is the current one.

    ``milestone`` marks work that a later attempt need not repeat.
    """

    def __call__(self, *, milestone: bool = ...) -> AbstractContextManager[Session]: ...


#: How many images shard number ``n`` holds at most.
ShardPlan = Callable[[int], int]
WHOLE = Place()
_TAR = "application/x-tar"


def growing_shards(number: int) -> int:
    """32, 64, 128 … 2,048: the first is soon there, for streams and for the next attempt.

    What a killed worker loses is the shard that grows and the one that is being stored. Where one
    ends depends on the images alone, never on the clock: so a set is the same bytes, however often
    its making was interrupted.
    """
    return int(min(32 << min(number, 6), MAX_IMAGES))


def full_shards(_number: int) -> int:
    """Of a part, which is one shard where its images are small: few objects hold a large set."""
    return MAX_IMAGES


class Attempt(Protocol):
    """What a writer must know of the job that it writes for."""

    @property
    def job_id(self) -> str: ...

    @property
    def attempt(self) -> int: ...

    @property
    def target(self) -> str: ...

    @property
    def fenced(self) -> Fence: ...


@dataclass(frozen=True)
class Destination:
    """Where one attempt at a data set writes."""

    store: ObjectStore
    fence: Fence
    dataset_id: str
    job_id: str
    attempt: int
    place: Place = WHOLE


def part_destination(store: ObjectStore, job: Attempt, dataset_id: str, part: Part) -> Destination:
    """Where an attempt at a part's job writes its part of a data set."""
    place = Place(
        first_index=part.first_index,
        first_shard=part.first_shard,
        end_shard=part.first_shard + SHARD_NUMBERS,
    )
    return Destination(store, job.fenced, dataset_id, job.job_id, job.attempt, place)


def destination(store: ObjectStore, job: Attempt) -> Destination:
    """Where an attempt at a job writes the data set that the job makes."""
    return Destination(
        store=store,
        fence=job.fenced,
        dataset_id=job.target,
        job_id=job.job_id,
        attempt=job.attempt,
    )


def derived(
    job: Attempt,
    parent: DatasetRow,
    command: Command,
    *,
    name: str,
    kind: DatasetKind,
    notes: Sequence[str] = (),
) -> NewDataset:
    """The data set that a job makes of ``parent`` as ``command`` says."""
    return NewDataset(
        id=job.target,
        name=name,
        kind=kind,
        parents=[parent.id],
        command=command.model_dump(mode="json"),
        phantom=parent.phantom,
        job_id=job.job_id,
        notes=notes,
    )


class DatasetWriter:
    """Appends images in order. A context manager: leaving it early leaves complete shards only.

    For steps that make the same images in the same order each time: :meth:`resume` comes first.
    Without a ``plan``, shards grow, and those of a part are full.
    """

    def __init__(self, to: Destination, *, plan: ShardPlan | None = None) -> None:
        self._to = to
        self._plan = plan or (growing_shards if to.place == WHOLE else full_shards)
        self._shards: list[Records] = []
        self._stored = 0
        self._next_shard = to.place.first_shard
        self._open: ShardWriter | None = None
        self._behind = Behind("shards")

    def __enter__(self) -> "DatasetWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._behind.close()
        if self._open is not None:
            self._open.__exit__(kind, error, trace)
            self._open = None

    def __len__(self) -> int:
        return self._stored + len(self._open or ())

    @property
    def records(self) -> Records:
        """Of the images so far, those of earlier attempts among them."""
        rest = [] if self._open is None else [Records.of(self._open.records)]
        return Records.joined([*self._shards, *rest])

    def resume(self) -> int:
        """Take over the shards of earlier attempts; returns how many images they hold.

        Raises :class:`AlreadyMade` if the set is complete.
        """
        with self._to.fence(milestone=False) as session:
            made = catalog.finished_outputs(session, [self._to.dataset_id]).get(self._to.dataset_id)
            if made is not None:
                raise AlreadyMade(f"data set {self._to.dataset_id} is complete", made)
            found = catalog.take_over_shards(session, self._to.dataset_id, self._to.place)
            if not found.forgotten:
                session.rollback()  # nothing was written, and a commit would wait for the disk
        delete_objects(self._to.store, found.forgotten)
        for content in found.records:
            self._keep(read_manifest(content))
        self._next_shard = found.next_shard
        return self._stored

    def add(
        self,
        png: bytes,
        meta: ImageMeta,
        *,
        previous: bytes | None = None,
        following: bytes | None = None,
    ) -> None:
        """Append an image, and the slices beside it.

        A full shard is stored and made visible while the next images are made: what that raises is
        raised at the next full shard, or at the end.
        """
        if self._open is None:
            first_index = self._to.place.first_index + self._stored
            self._open = ShardWriter(self._next_shard, first_index)
        self._open.add(png, meta, previous=previous, following=following)
        metrics.image_written()
        if self._open.full or len(self._open) >= self._plan(self._next_shard):
            self._store_behind()

    @tracing.traced("finish the data set")
    def finish(self, new: NewDataset) -> Callable[[Session], None]:
        """Store the last shard and the manifest.

        Returns what writes the rows of both, for the transaction that ends the job: one commit less
        to wait for than if the last shard had its own. Raises :class:`BadInput` for a data set
        without images.
        """
        if not len(self):
            raise BadInput("there is no image to make a data set of")
        self._behind.settle()
        earlier, last = bool(self._shards), self._take_open()
        records = Records.joined(self._shards)
        # Two objects take no longer than one.
        self._behind.run(partial(self._store_manifest, new, records))
        rows = [self._stored_row(*shard) for shard in last]
        self._behind.settle()

        def write(session: Session) -> None:
            for row in rows:
                catalog.add_shard(session, row)
            catalog.publish(session, new, records)
            if earlier:
                catalog.forget_parts(session, new.id)

        return write

    def flush(self) -> None:
        """Store the shard that is open, if there is one, and make all visible."""
        self._store_behind()
        self._behind.settle()

    def _store_behind(self) -> None:
        self._behind.settle()  # while the open shard still clears away after itself
        for shard in self._take_open():
            self._behind.run(partial(self._make_visible, *shard))

    def _take_open(self) -> list[tuple[ShardWriter, Records]]:
        """The shard that is open, none or one, which counts as stored from now on."""
        if self._open is None:
            return []
        taken = self._open, Records.of(self._open.records)
        self._keep(taken[1])
        self._next_shard += 1
        self._open = None
        return [taken]

    def _make_visible(self, writer: ShardWriter, records: Records) -> None:
        row = self._stored_row(writer, records)
        row.records = write_manifest(records)
        with self._to.fence(milestone=True) as session:
            catalog.add_shard(session, row)

    def _stored_row(self, writer: ShardWriter, records: Records) -> ShardRow:
        """The row of a shard, which is stored now."""
        to = self._to
        key = catalog.shard_key(to.dataset_id, to.job_id, to.attempt, writer.number)
        shard = _stored(writer, to.store, key)
        return ShardRow(
            dataset_id=to.dataset_id,
            number=shard.number,
            key=key,
            first_index=writer.first_index,
            images=len(records),
            bytes=shard.bytes,
            sha256=shard.sha256,
        )

    def _store_manifest(self, new: NewDataset, records: Records) -> None:
        key = catalog.manifest_key(new.id, new.job_id)
        content_type = "application/vnd.apache.parquet"
        self._to.store.put(key, write_manifest(records), content_type=content_type)

    def _keep(self, records: Records) -> None:
        self._shards.append(records)
        self._stored += len(records)


@tracing.traced("store a shard")
def _stored(writer: ShardWriter, store: ObjectStore, key: str) -> Shard:
    with writer:
        shard = writer.close()
        if shard.path is None:
            store.put(key, shard.data, content_type=_TAR)
        else:
            store.put_file(key, shard.path, content_type=_TAR)
    return shard
