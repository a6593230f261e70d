"""Waiting for a job before somebody's eyes."""

import typer

from lesiongan.cli.exits import INTERRUPTED
from lesiongan.cli.progress import display
from lesiongan.cli.session import Session
from lesiongan.client import Client
from lesiongan.contracts.jobs import Job, Progress


def wait_for(session: Session, client: Client, job: Job) -> Job:
    """The job when it has succeeded; Ctrl-C stops the waiting, not the job.

    Raises :class:`lesiongan.errors.JobFailed`.
    """
    with display(quiet=session.terse) as shown, shown.step(f"{job.kind} {job.id}") as step:

        def show(progress: Progress) -> None:
            step.update(
                progress.done, progress.total or None, in_words(progress), progress.eta_seconds
            )

        try:
            return client.jobs.wait(job, on_progress=show)
        except KeyboardInterrupt:
            session.tell(
                f"\n{job.id} goes on. See it: lesiongan jobs watch {job.id}. "
                f"Stop it: lesiongan jobs cancel {job.id}"
            )
            raise typer.Exit(INTERRUPTED) from None


def in_words(progress: Progress) -> str:
    """``120 of 500 images``."""
    if progress.total == 0:
        return f"{progress.done} {progress.unit}s" if progress.done else "waiting"
    return f"{progress.done} of {progress.total} {progress.unit}s"
