"""One attempt at a training: checkpoints go to the store first, then to the ledger."""

import math
import time
from dataclasses import asdict

from services.classification import store as rows
from services.classification.domain.checkpoint import load_checkpoint, save_checkpoint
from services.classification.domain.pretrained import fill_pretrained
from services.classification.domain.recipe import Recipe
from services.classification.domain.training import (
    Callbacks,
    Evaluation,
    TrainingState,
    start_training,
)
from services.classification.domain.weights import Shape
from services.classification.pretrained import read_pretrained
from services.classification.settings import ClassificationSettings
from shared.compute.tensor_file import unchanged
from shared.datasets.removal import delete_objects
from shared.errors import BadInput, Diverged
from shared.ids import sha256_of
from shared.jobs.context import JobContext
from shared.storage.port import ObjectMissing, ObjectStore


class Trainer:
    """The callbacks of a training loop, and the checkpoint it begins with."""

    def __init__(
        self, job: JobContext, store: ObjectStore, recipe: Recipe, settings: ClassificationSettings
    ) -> None:
        self._job = job
        self._store = store
        self._recipe = recipe
        self._settings = settings
        self._saved_at = time.monotonic()

    def callbacks(self) -> Callbacks:
        """What the training loop calls."""
        return Callbacks(
            on_step=self._on_step,
            on_evaluation=self._on_evaluation,
            on_batch=self._job.check_wanted,
        )

    def resume(self, shape: Shape, device: str) -> TrainingState:
        """The state of the checkpoint, if there is one that is whole, or a new one."""
        with self._job.reading() as session:
            row = rows.get(session, self._job.target)
        if row.checkpoint_key is None:
            return self._start(shape, device)
        try:
            data = unchanged(self._store.get(row.checkpoint_key), row.checkpoint_sha256)
            state = load_checkpoint(data, shape, self._recipe, device=device)
        except (ObjectMissing, BadInput) as error:
            self._tell("warning", f"the checkpoint cannot be used: {error.detail}")
            return self._start(shape, device)
        self._note_resumed(state.step)
        return state

    def _start(self, shape: Shape, device: str) -> TrainingState:
        state = start_training(shape, self._recipe, device=device)
        sha256 = self._recipe.pretrained_sha256
        if sha256 is not None:
            data = read_pretrained(self._settings.pretrained, shape.architecture, sha256)
            new = fill_pretrained(state.network, data)
            self._tell("info", f"begins with pretrained weights {sha256}; new: {', '.join(new)}")
        return state

    def _note_resumed(self, step: int) -> None:
        with self._job.fenced() as session:
            rows.get(session, self._job.target).resumed_from_step = step
        self._tell("info", f"resumed from the checkpoint at step {step}")

    def _on_step(self, state: TrainingState) -> None:
        self._job.check_wanted()
        due = time.monotonic() - self._saved_at >= self._settings.checkpoint_seconds
        # A worker that must go leaves what it has done, however far off an evaluation is.
        going = self._job.should_stop()
        if due or going:
            self._save(state)
        # Not `progress`: who hears only now that it must go does so after the next step.
        self._job.report(state.step, self._recipe.steps, "step")
        if going:
            self._job.check()

    def _on_evaluation(
        self, state: TrainingState, loss: float, evaluation: Evaluation | None
    ) -> None:
        self._job.check_wanted()
        if not math.isfinite(loss) or (evaluation and not math.isfinite(evaluation.loss)):
            raise Diverged(f"no finite loss at step {state.step}: lower learning_rate")
        of_val = {}
        if evaluation is not None:
            of_val = {f"val_{name}": value for name, value in asdict(evaluation).items()}
            of_val.pop("val_step")
        self._job.event("metric", {"step": state.step, "loss": loss, **of_val})

    def _save(self, state: TrainingState) -> None:
        data = save_checkpoint(state, self._recipe)
        classifier_id = self._job.target
        name = f"{state.step:08d}-{self._job.attempt}.safetensors"
        key = f"classifiers/{classifier_id}/checkpoints/{name}"
        self._store.put(key, data)
        with self._job.fenced(milestone=True) as session:
            row = rows.get(session, classifier_id)
            old, row.checkpoint_key = row.checkpoint_key, key
            row.checkpoint_sha256 = sha256_of(data)
        if old is not None:
            delete_objects(self._store, [old])
        self._saved_at = time.monotonic()

    def _tell(self, level: str, message: str) -> None:
        self._job.event("log", {"level": level, "message": message})
