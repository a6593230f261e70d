"""One attempt at a training: what its loop reports goes to the store first, then to the ledger."""

from dataclasses import asdict

import numpy as np
import numpy.typing as npt

from services.gan import store as rows
from services.gan.domain.checkpoint import load_checkpoint, load_critic, save_checkpoint
from services.gan.domain.config import Architecture, Training
from services.gan.domain.critic import Critic
from services.gan.domain.fine_tuning import inherit
from services.gan.domain.state import TrainingState, start_training
from services.gan.domain.supervision import Measured, Rollback
from services.gan.domain.training import Callbacks, Metrics
from services.gan.domain.watchdog import Signs
from services.gan.domain.weights import load_weights
from services.gan.examiner import Examiner
from services.gan.settings import GanSettings
from shared.compute.tensor_file import unchanged
from shared.datasets.pixels import encode_image
from shared.datasets.removal import delete_objects
from shared.db.gans import published
from shared.db.tables import CheckpointRow, PreviewRow
from shared.errors import BadInput
from shared.ids import sha256_of
from shared.jobs.context import JobContext
from shared.storage.port import ObjectMissing, ObjectStore

#: What :class:`~services.gan.domain.scores.Scores` says beside figures.
_COUNTS = ("made", "real")


class Trainer:
    """The callbacks of a training loop, and the checkpoint it begins with."""

    def __init__(
        self, job: JobContext, store: ObjectStore, gan_id: str, settings: GanSettings
    ) -> None:
        self._job = job
        self._store = store
        self._gan_id = gan_id
        self._settings = settings

    def callbacks(self, examiner: Examiner) -> Callbacks:
        """What the training loop calls; ``examiner`` scores it."""

        def on_evaluate(state: TrainingState) -> Measured | None:
            scores = examiner.look(state.average)
            if scores is None:
                return None
            values = {**asdict(scores), **examiner.floors}
            self._add_metrics(state.step, {n: v for n, v in values.items() if n not in _COUNTS})
            return Measured(scores.kid, examiner.noise)

        return Callbacks(
            on_evaluate=on_evaluate,
            should_stop=self._job.should_stop,
            on_turn=self._job.check_wanted,
            on_metrics=self._on_metrics,
            on_checkpoint=self._on_checkpoint,
            on_preview=self._on_preview,
            on_health=self._on_health,
            on_rollback=self._on_rollback,
            on_made=self._on_made,
        )

    def resume(
        self,
        architecture: Architecture,
        training: Training,
        device: str,
        *,
        init_from: str | None = None,
    ) -> TrainingState:
        """The state of the newest checkpoint that is whole, or a new one.

        A new one goes on from the weights of the GAN ``init_from``. Raises :class:`NotFound`.
        """
        with self._job.reading() as session:
            known = rows.checkpoints(session, self._gan_id)
        for checkpoint in known:
            state = self._load(checkpoint, architecture, training, device)
            if state is not None:
                self._note_resumed(state.step)
                return state
        state = start_training(architecture, training, device=device)
        if init_from is not None:
            self._inherit(state, init_from)
        return state

    def _inherit(self, state: TrainingState, gan_id: str) -> None:
        with self._job.reading() as session:
            parent = published(session, gan_id)
            known = rows.checkpoints(session, gan_id)
        assert parent.weights_key is not None, "published"
        generator, _ = load_weights(
            unchanged(self._store.get(parent.weights_key), parent.weights_sha256)
        )
        critic = next(filter(None, map(self._critic, known)), None)
        inherit(state, generator, critic)
        which = "generator and critic" if critic is not None else "generator"
        message = f"began with the {which} of {gan_id}"
        self._job.event("log", {"level": "info", "message": message})

    def _critic(self, row: CheckpointRow) -> Critic | None:
        """Of a GAN to begin with; only its checkpoints hold one."""
        try:
            return load_critic(unchanged(self._store.get(row.key), row.sha256))
        except (ObjectMissing, BadInput):
            return None

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
        self._add_metrics(step, values)
        with self._job.reading() as session:
            total = rows.get(session, self._gan_id).steps
        # Not `progress`: a worker that must go checkpoints first, at the loop's next step.
        self._job.report(step, total, "step")

    def _on_checkpoint(self, state: TrainingState) -> None:
        self._job.check_wanted()
        data = save_checkpoint(state)
        name = f"{state.step:08d}-{self._job.attempt}-{state.watch.rollbacks}"
        key = f"gans/{self._gan_id}/checkpoints/{name}.safetensors"
        self._store.put(key, data)
        row = CheckpointRow(gan_id=self._gan_id, step=state.step, key=key, sha256=sha256_of(data))
        with self._job.fenced(milestone=True) as session:
            old = rows.add_checkpoint(session, row, keep=self._settings.kept_checkpoints)
        delete_objects(self._store, old)

    def _on_health(self, step: int, signs: Signs) -> None:
        self._add_metrics(step, {"diversity": signs.diversity, "flat": signs.flat})

    def _on_rollback(self, rollback: Rollback) -> None:
        message = (
            f"the watchdog took the training back from step {rollback.step} to "
            f"{rollback.to_step}: {rollback.reason}; learning rate {rollback.learning_rate:.3g}"
        )
        event = {"level": "warning", "message": message, "watchdog": asdict(rollback)}
        self._job.event("log", event)
        rates = {"learning_rate": rollback.learning_rate, "rollbacks": rollback.number}
        self._add_metrics(rollback.to_step, rates)

    def _on_made(self, which: str, eager_because: str | None) -> None:
        level, message = "info", f"the {which}'s steps run as a CUDA graph"
        if eager_because is not None:
            level = "warning"
            message = f"the {which}'s steps run one kernel at a time, slower: {eager_because}"
        self._job.event("log", {"level": level, "message": message})

    def _add_metrics(self, step: int, values: dict[str, float]) -> None:
        with self._job.fenced() as session:
            rows.add_metrics(session, self._gan_id, step, values)
        self._job.event("metric", {"step": step, **values})

    def _on_preview(self, step: int, grid: npt.NDArray[np.uint8]) -> None:
        key = f"gans/{self._gan_id}/previews/{step:08d}.png"
        self._store.put(key, encode_image(grid), content_type="image/png")
        with self._job.fenced() as session:
            session.merge(PreviewRow(gan_id=self._gan_id, step=step, key=key))
