"""Images of a synthetic data set in order, each shard as soon as it is complete."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from starlette.concurrency import run_in_threadpool

from lesiongan.contracts.datasets import ImageFormat
from lesiongan.contracts.gans import GenerateCommand
from lesiongan.contracts.jobs import ENDED, Job
from shared.datasets import catalog
from shared.datasets.archive import SUFFIXES, Encode, file_name, png_as_stored
from shared.datasets.dicom import dicom_file
from shared.datasets.origins import sampled
from shared.datasets.records import ImageRecord
from shared.datasets.sampled_manifest import FILE_NAME, sampled_manifest
from shared.datasets.shards import read_shard
from shared.db.tables import JobRow, ShardRow
from shared.errors import LesionGanError
from shared.jobs import ledger
from shared.jobs.views import lone_job_view
from shared.storage.files import downloaded
from shared.web.state import WebState


class StreamBroken(LesionGanError):
    """The job ended without all of its images."""

    title = "Stream broken"


class ImageStream:
    """One client's view of a generate job."""

    def __init__(
        self,
        state: WebState,
        job_id: str,
        dataset_id: str,
        command: GenerateCommand,
        *,
        image_format: ImageFormat,
        cancels: bool,
    ) -> None:
        self.job_id = job_id
        self.gan_id = command.gan
        self.seed = command.seed
        self._state = state
        self._dataset_id = dataset_id
        self._command = command
        self._format: ImageFormat = image_format
        self._cancels = cancels
        self._complete = False

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Cancels the job when the client leaves first, if nobody else waits for it."""
        try:
            yield
        finally:
            if self._cancels and not self._complete:
                # Not awaited: this runs while the request is being cancelled.
                asyncio.get_running_loop().run_in_executor(None, self._cancel)

    async def entries(self) -> AsyncIterator[list[tuple[str, bytes]]]:
        """(name, content) of the images, shard by shard, and of ``manifest.json`` at the end.

        Raises :class:`StreamBroken` when the job ends early.
        """
        records: list[ImageRecord] = []
        shards = 0
        async for _ in self._state.watcher.changes(self.job_id):
            job, ready = await run_in_threadpool(self._look, shards)
            for shard in ready:
                images = await run_in_threadpool(self._read, shard)
                records.extend(record for record, _ in images)
                yield [(file_name(record, self._suffix), file) for record, file in images]
            shards += len(ready)
            if len(records) >= self._command.n and job.status == "succeeded":
                break
            if job.status in ENDED and not ready:
                reason = job.error.detail if job.error else f"its job was {job.status}"
                raise StreamBroken(f"{len(records)} of {self._command.n} images: {reason}")
        yield [(FILE_NAME, await run_in_threadpool(self._manifest, records))]
        self._complete = True

    def _look(self, shards: int) -> tuple[Job, list[ShardRow]]:
        with self._state.sessions() as session:
            # One that samples waits for no other, and who waits for it does not matter here.
            job = lone_job_view(ledger.get(session, self.job_id))
            return job, list(catalog.shards(session, self._dataset_id, from_number=shards))

    def _read(self, shard: ShardRow) -> list[tuple[ImageRecord, bytes]]:
        encode = self._encode()
        with downloaded(self._state.store, shard.key) as file:
            return [(record, encode(record, png)) for record, png in read_shard(file)]

    def _encode(self) -> Encode:
        if self._format == "png":
            return png_as_stored
        with self._state.sessions() as session:
            return partial(dicom_file, sampled(session, self._dataset_id, self.gan_id))

    @property
    def _suffix(self) -> str:
        return SUFFIXES[self._format]

    def _manifest(self, records: list[ImageRecord]) -> bytes:
        with self._state.sessions() as session:
            row = catalog.get(session, self._dataset_id)
            return sampled_manifest(row, records, partial(file_name, suffix=self._suffix))

    def _cancel(self) -> None:
        with self._state.sessions() as session:
            # Who sends the same request meanwhile follows this job before, or makes one after.
            ledger.lock_target(session, self._dataset_id)
            job = session.get(JobRow, self.job_id)
            if job is not None and not job.adopted:
                ledger.cancel(session, self.job_id)
                session.commit()
