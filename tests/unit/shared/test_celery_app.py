"""When a worker's process ends by itself."""

import signal
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from celery import Celery, signals
from celery.utils.dispatch import Signal
from celery.worker import state

from shared.errors import BadInput
from shared.queue.port import RUN_JOB
from shared.worker import celery_app


class Runner:
    """Breaks at a job of that name."""

    def __init__(self) -> None:
        self.broken = self.drained = False

    def run(self, job_id: str) -> None:
        self.broken = job_id == "breaks"

    def drain(self) -> None:
        self.drained = True


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> Runner:
    made = Runner()
    monkeypatch.setattr(celery_app, "JobRunner", lambda *_, **__: made)
    return made


def _work(
    monkeypatch: pytest.MonkeyPatch, job_id: str, preload: Callable[[], None] = lambda: None
) -> None:
    """The worker's life: it is ready, and there is one doorbell."""
    app = Celery(set_as_current=False)
    ready = Signal(name="worker_ready")

    def live(_: object) -> None:
        ready.send(sender=None)
        app.tasks[RUN_JOB](job_id)

    monkeypatch.setattr(app, "worker_main", live)
    monkeypatch.setattr(signals, "worker_ready", ready)
    for name in ("get_settings", "configure_logging", "configure_tracing", "serve_metrics"):
        monkeypatch.setattr(celery_app, name, lambda *_: SimpleNamespace(pulse_file=None))
    monkeypatch.setattr(celery_app, "connect", lambda _: None)
    monkeypatch.setattr(celery_app, "Presence", lambda _: SimpleNamespace(announce=lambda _: None))
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(celery_app, "make_celery", lambda _: app)
    monkeypatch.setattr(state, "should_stop", None)
    celery_app.work(
        name="w",
        queues=["gan-train"],
        find_task=lambda _: pytest.fail("no job"),
        preload=preload,
        find_device=lambda: None,
        find_gpu=lambda: None,
    )


@pytest.mark.usefixtures("runner")
def test_a_runner_that_cannot_go_on_ends_its_process(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit) as caught:
        _work(monkeypatch, "breaks")
    assert caught.value.code == 1
    assert state.should_stop == 1, "so Celery stops"


def test_a_worker_that_cannot_begin_takes_no_job_and_ends(
    monkeypatch: pytest.MonkeyPatch, runner: Runner, caplog: pytest.LogCaptureFixture
) -> None:
    def no_gpu() -> None:
        raise BadInput("device cuda was asked for")

    with pytest.raises(SystemExit) as caught:
        _work(monkeypatch, "works", no_gpu)
    assert caught.value.code == 1
    assert runner.drained
    assert "device cuda was asked for" in caplog.text


@pytest.mark.usefixtures("runner")
def test_a_runner_that_is_well_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    _work(monkeypatch, "works")
    assert state.should_stop is None
