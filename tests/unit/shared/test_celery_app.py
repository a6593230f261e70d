"""When a worker's process ends by itself."""

from types import SimpleNamespace

import pytest
from celery import Celery
from celery.worker import state

from shared.queue.port import RUN_JOB
from shared.worker import celery_app


class Runner:
    """Breaks at a job of that name."""

    broken = False

    def run(self, job_id: str) -> None:
        self.broken = job_id == "breaks"


def _work(monkeypatch: pytest.MonkeyPatch, job_id: str) -> None:
    """The worker's life around one doorbell."""
    app = Celery(set_as_current=False)
    monkeypatch.setattr(app, "worker_main", lambda _: app.tasks[RUN_JOB](job_id))
    for name in ("get_settings", "configure_logging", "configure_tracing", "serve_metrics"):
        monkeypatch.setattr(celery_app, name, lambda *_: SimpleNamespace())
    for name in ("connect", "_on_signals"):
        monkeypatch.setattr(celery_app, name, lambda *_: None)
    monkeypatch.setattr(celery_app, "JobRunner", lambda *_, **__: Runner())
    monkeypatch.setattr(celery_app, "make_celery", lambda _: app)
    monkeypatch.setattr(state, "should_stop", None)
    celery_app.work(
        name="w",
        queues=["gan-train"],
        find_task=lambda _: pytest.fail("no job"),
        preload=lambda: None,
        find_device=lambda: None,
    )


def test_a_runner_that_cannot_go_on_ends_its_process(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit) as caught:
        _work(monkeypatch, "breaks")
    assert caught.value.code == 1
    assert state.should_stop == 1, "so Celery stops"


def test_a_runner_that_is_well_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    _work(monkeypatch, "works")
    assert state.should_stop is None
