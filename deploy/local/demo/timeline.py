"""The demo's steps, shown while they run and timed."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from deploy.local.demo.plan import Timing
from lesiongan.cli.progress import Display, Step
from lesiongan.cli.waiting import in_words
from lesiongan.client import Client, JobEvent
from lesiongan.contracts.jobs import Job, Progress


class TimedStep:
    """A step that runs. ``made`` says in the end what came of it."""

    def __init__(self, shown: Step) -> None:
        self.shown = shown
        self.made = ""

    def count(self, done: float, total: float | None, words: str) -> None:
        """Show how far the step is."""
        self.shown.update(done, total, words)

    def finish(self, made: str) -> None:
        """Say what came of it."""
        self.made = made
        self.shown.update(1, 1, made)

    def wait(self, client: Client, job: Job) -> Job:
        """The job when it has succeeded, with its progress and its latest metrics in view.

        Raises :class:`lesiongan.errors.JobFailed`.
        """
        now = Progress()
        losses = ""

        def show() -> None:
            words = in_words(now) + (f"  {losses}" if losses else "")
            self.shown.update(now.done, now.total or None, words, now.eta_seconds)

        def on_progress(progress: Progress) -> None:
            nonlocal now
            now = progress
            show()

        def on_event(event: JobEvent) -> None:
            nonlocal losses
            if event.event == "metric":
                losses = losses_in_words(event.data)
                show()

        return client.jobs.wait(job, on_progress=on_progress, on_event=on_event)


class Timeline:
    """Steps in order, with their seconds."""

    def __init__(self, display: Display) -> None:
        self._display = display
        self.timings: list[Timing] = []

    @contextmanager
    def step(self, label: str) -> Iterator[TimedStep]:
        """A step; it is timed when it ends well."""
        began = time.monotonic()
        with self._display.step(label) as shown:
            timed = TimedStep(shown)
            yield timed
        self.timings.append(Timing(label, time.monotonic() - began, timed.made))


def losses_in_words(metrics: dict[str, object]) -> str:
    """The losses of one training step, short enough for a line."""
    names = {"wasserstein": "W", "generator_loss": "G", "gradient_penalty": "GP"}
    return "  ".join(
        f"{short} {value:+.2f}"
        for name, short in names.items()
        if isinstance(value := metrics.get(name), (int, float))
    )
