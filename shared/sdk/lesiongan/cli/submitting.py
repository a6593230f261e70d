"""What the commands that make jobs share."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from lesiongan.cli.jobs import show_job
from lesiongan.cli.session import Session, facts
from lesiongan.cli.waiting import wait_for
from lesiongan.client import Client
from lesiongan.contracts.jobs import Estimate, Job

DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="say what it would cost, and make nothing")
]
NoWaitOption = Annotated[
    bool, typer.Option("--no-wait", help="print the job and leave, instead of waiting for it")
]


def given(options: dict[str, Any]) -> dict[str, Any]:
    """The options that were written; the server knows the defaults of the others."""
    return {name: value for name, value in options.items() if value is not None}


def finish(
    session: Session,
    client: Client,
    job: Job,
    show_made: Callable[[dict[str, Any]], None],
    *,
    no_wait: bool,
) -> None:
    """Wait for a job and show its output by ``show_made``; with ``--json``, print the job."""
    if not no_wait:
        job = wait_for(session, client, job)
    if session.json or no_wait:
        show_job(session, job)
    else:
        show_made(job.output or {})


def show_estimate(session: Session, estimate: Estimate) -> None:
    """An estimate as facts."""
    about = facts(
        [
            ("images", estimate.images),
            ("bytes", estimate.bytes),
            ("device-seconds", f"{estimate.device_seconds:g}"),
            ("based on", estimate.based_on),
        ]
    )
    session.show(estimate, lambda out: out.print(about))
