"""A training whose worker must go leaves a checkpoint, whatever it is doing when it hears of it."""

from typing import Any

import pytest
from sqlalchemy import select

from services.gan import store, trainer
from services.worker import find_task
from shared.db.tables import CheckpointRow, ClassifierRow
from shared.jobs.context import JobContext
from shared.worker.runner import JobRunner
from tests.integration.services.bench import Bench, archive, pictures
from tests.integration.shared.builders import row

#: Metrics and a preview come in the middle; checkpoints of its own accord only at the end.
TRAINING: dict[str, Any] = {
    "steps": 1000,
    "batch_size": 8,
    "n_critic": 1,
    "width": 8,
    "latent": 16,
    "checkpoint_every": 1000,
    "preview_every": 4,
}


@pytest.mark.parametrize(
    ("place", "name"),
    [
        (store, "add_metrics"),
        (trainer, "encode_image"),
        (JobContext, "event"),
    ],
)
def test_a_training_that_must_go_checkpoints_first(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, place: Any, name: str
) -> None:
    raw = bench.made(bench.upload(archive(pictures(24)), "folders"))
    crops = bench.made(bench.post("/preprocess", {"dataset": raw, "size": 32}))
    job_id = bench.post("/gans", {"dataset": crops, **TRAINING})
    runner = JobRunner(bench.ports, find_task, worker="leaving")
    whole = getattr(place, name)

    def interrupted(*arguments: Any, **options: Any) -> Any:
        runner.drain()
        return whole(*arguments, **options)

    monkeypatch.setattr(place, name, interrupted)
    runner.run(job_id)
    assert row(bench.ports.sessions, job_id).status == "queued"
    with bench.ports.sessions() as session:
        steps = session.scalars(select(CheckpointRow.step)).all()
    assert len(steps) == 1
    assert 0 < steps[0] < TRAINING["steps"]


def test_a_classifier_that_must_go_leaves_what_it_has_done(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether or not it has evaluated before."""
    raw = bench.made(bench.upload(archive(pictures(24)), "folders"))
    crops = bench.made(bench.post("/preprocess", {"dataset": raw, "size": 32}))
    options = {"architecture": "small_cnn", "steps": 6, "batch_size": 4}
    job_id = bench.post("/classifiers", {"datasets": [crops], **options})
    runner = JobRunner(bench.ports, find_task, worker="leaving")
    whole = JobContext.report

    def interrupted(self: JobContext, done: int, total: int, unit: str) -> None:
        if done == 2:
            runner.drain()
        whole(self, done, total, unit)

    monkeypatch.setattr(JobContext, "report", interrupted)
    runner.run(job_id)
    assert row(bench.ports.sessions, job_id).status == "queued"
    monkeypatch.undo()
    done = bench.run(job_id)
    assert done.status == "succeeded", done.error
    with bench.ports.sessions() as session:
        made = session.get(ClassifierRow, done.target)
        assert made is not None
        assert made.resumed_from_step == 3
