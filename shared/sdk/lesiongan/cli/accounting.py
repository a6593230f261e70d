"""``lesiongan usage`` and ``lesiongan audit``."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from lesiongan.cli.command import command
from lesiongan.cli.session import Session, table

app = typer.Typer()

KeyIdOption = Annotated[
    str | None, typer.Option("--of", metavar="KEY_ID", help="only this key: key_…")
]
SinceOption = Annotated[datetime | None, typer.Option(help="UTC; not earlier than this")]
UntilOption = Annotated[datetime | None, typer.Option(help="UTC; earlier than this")]


@command(app, "usage")
def usage(
    session: Session,
    of: KeyIdOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
) -> None:
    """See what each key used; needs an admin key."""
    with session.connect() as client:
        found = [*client.accounting.usage(key=of, since=_utc(since), until=_utc(until))]
    rows = [
        (
            each.key,
            sum(jobs.jobs for jobs in each.jobs),
            each.queued_jobs,
            f"{each.device_seconds:.1f}",
            each.images,
            each.stored_bytes,
            each.name,
        )
        for each in found
    ]
    columns = ("KEY", "JOBS", "QUEUED", "DEVICE-SECONDS", "IMAGES", "BYTES", "NAME")
    session.show(found, lambda out: out.print(table(columns, rows)))


@command(app, "audit")
def audit(
    session: Session,
    of: KeyIdOption = None,
    action: Annotated[str | None, typer.Option(help="only this operation: revoke_key, …")] = None,
    since: SinceOption = None,
    until: UntilOption = None,
    limit: Annotated[int, typer.Option(min=1, help="at most so many, the newest")] = 50,
) -> None:
    """See who did what; needs an admin key."""
    with session.connect() as client:
        found = [
            *client.accounting.audit(
                key=of, action=action, since=_utc(since), until=_utc(until), limit=limit
            )
        ]
    rows = [(f"{e.at:%Y-%m-%d %H:%M:%S}", e.status, e.action, e.target, e.key) for e in found]
    columns = ("AT", "STATUS", "ACTION", "TARGET", "KEY")
    session.show(found, lambda out: out.print(table(columns, rows)))


def _utc(time: datetime | None) -> datetime | None:
    return time if time is None or time.tzinfo is not None else time.replace(tzinfo=UTC)
