"""``lesiongan console`` and ``lesiongan queues``: a way into the console, and its first page."""

from typing import Annotated

import typer
from rich.console import Console

from lesiongan.cli.command import command
from lesiongan.cli.session import Session, facts, table
from lesiongan.contracts.console import Status

app = typer.Typer()
GIB = 2**30


@command(app, "console")
def console(
    session: Session,
    *,
    open_it: Annotated[bool, typer.Option("--open", help="open it in a browser here")] = False,
) -> None:
    """Print a link that signs a browser in to the server's console, once."""
    with session.connect() as client:
        link = client.console.sign_in_link()
    if open_it:
        typer.launch(link.url)
    session.show(link, lambda out: out.print(link.url, markup=False, soft_wrap=True))
    if not session.terse:
        session.tell(f"It signs in once, until {link.expires_at:%H:%M} UTC.")


@command(app, "queues")
def queues(session: Session) -> None:
    """Show what waits and runs, who serves it, and what the store and the disk hold."""
    with session.connect() as client:
        found = client.console.status()
    session.show(found, lambda out: _print(found, out))


def _print(status: Status, out: Console) -> None:
    rows = [
        (q.queue, q.workers, q.running, q.ready, q.blocked, f"{q.oldest_ready_seconds:.0f} s")
        for q in status.queues
    ]
    out.print(table(("QUEUE", "WORKERS", "RUNNING", "READY", "BLOCKED", "OLDEST"), rows))
    stored, disk = status.stored, status.disk
    free = None if disk is None else f"{disk.free_bytes / GIB:.1f} GiB"
    out.print(
        facts(
            [
                ("data sets", f"{stored.datasets}, {stored.dataset_bytes / GIB:.2f} GiB"),
                ("models", f"{stored.models}, {stored.model_bytes / GIB:.2f} GiB"),
                ("free on the disk", free),
                *((each.device, ", ".join(each.workers)) for each in status.devices),
            ]
        )
    )
