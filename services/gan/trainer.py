"""One attempt at a training: what its loop reports goes to the store first, then to the ledger."""

import math
from dataclasses import asdict

import numpy as np
import numpy.typing as npt

from services.gan import store as rows
from services.gan.domain.checkpoint import load_checkpoint, save_checkpoint
from services.gan.domain.config import Architecture, Training
from services.gan.domain.state import TrainingState, start_training
from services.gan.domain.training import Callbacks, Metrics
from services.gan.settings import GanSettings
from shared.compute.tensor_file import unchanged
from shared.datasets.pixels import encode_image
from shared.datasets.removal import delete_objects
from shared.db.tables import CheckpointRow, PreviewRow
from shared.errors import BadInput, Diverged
from shared.ids import sha256_of
from shared.jobs.context import JobContext
from shared.storage.port import ObjectMissing, ObjectStore


class Trainer:
    """The callbacks of a training loop, and the checkpoint it begins with."""

    def __init__(
        self, job: JobContext, store: ObjectStore, gan_id: str, settings: GanSettings
    ) -> None:
        self._job = job
        self._store = store
        self._gan_id = gan_id
        self._settings = settings

    def callbacks(self) -> Callbacks:
        """What the training loop calls."""
        return Callbacks(
            should_stop=self._job.should_stop,
            on_turn=self._job.check_wanted,
            on_metrics=self._on_metrics,
            on_checkpoint=self._on_checkpoint,
            on_preview=self._on_preview,
        )

    def resume(self, architecture: Architecture, training: Training, device: str) -> TrainingState:
        """The state of the newest checkpoint that is whole, or a new one."""
        with self._job.reading() as session:
            known = rows.checkpoints(session, self._gan_id)
        for checkpoint in known:
            state = self._load(checkpoint, architecture, training, device)
            if state is not None:
                self._note_resumed(state.step)
                return state
        return start_training(architecture, training, device=device)

    def _load(
        self, row: CheckpointRow, architecture: Architecture, training: Training, device: str
    ) -> TrainingState | None:
        try:
            data = unchanged(self._store.get(row.key), row.sha256)
            return load_checkpoint(data, architecture, training, device=device)
        except (ObjectMissing, BadInput) as error:
            message = f"checkpoint at step {row.step} cannot be used: {error.detail}"
            self._job.event("log", {"level": "warning", "message": message})
            return None

    def _note_resumed(self, step: int) -> None:
        with self._job.fenced() as session:
            rows.get(session, self._gan_id).resumed_from_step = step
        message = f"resumed from the checkpoint at step {step}"
        self._job.event("log", {"level": "info", "message": message})

    def _on_metrics(self, metrics: Metrics) -> None:
        values = asdict(metrics)
        step = values.pop("step")
        if not all(math.isfinite(value) for value in values.values()):
            raise Diverged(f"no finite losses at step {step}: lower learning_rate")
        with self._job.fenced() as session:
            total = rows.get(session, self._gan_id).steps
            rows.add_metrics(session, self._gan_id, step, values)
        self._job.event("metric", {"step": step, **values})
        # Not `progress`: a worker that must go checkpoints first, at the loop's next step.
        self._job.report(step, total, "step")

    def _on_checkpoint(self, state: TrainingState) -> None:
        self._job.check_wanted()
        data = save_checkpoint(state)
        key = f"gans/{self._gan_id}/checkpoints/{state.step:08d}-{self._job.attempt}.safetensors"
        self._store.put(key, data)
        row = CheckpointRow(gan_id=self._gan_id, step=state.step, key=key, sha256=sha256_of(data))
        with self._job.fenced(milestone=True) as session:
            old = rows.add_checkpoint(session, row, keep=self._settings.kept_checkpoints)
        delete_objects(self._store, old)

    def _on_preview(self, step: int, grid: npt.NDArray[np.uint8]) -> None:
        key = f"gans/{self._gan_id}/previews/{step:08d}.png"
        self._store.put(key, encode_image(grid), content_type="image/png")
        with self._job.fenced() as session:
            session.merge(PreviewRow(gan_id=self._gan_id, step=step, key=key))
