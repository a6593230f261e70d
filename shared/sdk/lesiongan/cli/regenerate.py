"""``lesiongan regenerate``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from lesiongan.cli.command import command
from lesiongan.cli.datasets import download_archive
from lesiongan.cli.jobs import show_job
from lesiongan.cli.session import Session, facts
from lesiongan.cli.submitting import DryRunOption, NoWaitOption, show_estimate
from lesiongan.cli.waiting import wait_for

app = typer.Typer()


@command(app, "regenerate")
def regenerate(
    session: Session,
    manifest: Annotated[
        Path, typer.Argument(help="a ZIP of synthetic images, or the manifest.json in it")
    ],
    *,
    index: Annotated[list[int] | None, typer.Option(min=0, help="repeat it; default: all")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="default: MANIFEST-again.zip")
    ] = None,
    no_wait: NoWaitOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Make synthetic images again from what came with them, and save them as a ZIP."""
    path = output or manifest.with_name(f"{manifest.stem}-again.zip")
    with session.connect() as client:
        if dry_run:
            show_estimate(session, client.estimate_regenerate(manifest, index))
            return
        job = client.regenerate(manifest, index)
        if no_wait:
            show_job(session, job)
            return
        made: dict[str, Any] = wait_for(session, client, job).output or {}
        download_archive(session, client, str(made["dataset"]), path, "png")
    result = {"path": str(path), **made}
    session.show(result, lambda out: out.print(facts([*result.items()])))
