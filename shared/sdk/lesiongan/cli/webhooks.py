"""``lesiongan webhooks``."""

from typing import Annotated

import typer

from lesiongan.cli.command import command
from lesiongan.cli.session import Session, facts, table
from lesiongan.contracts.webhooks import Delivery, DeliveryStatus, NewWebhook, WebhookCommand

app = typer.Typer(help="Webhooks: be told of jobs that end.", no_args_is_help=True)

WebhookArgument = Annotated[str, typer.Argument(metavar="WEBHOOK", help="an id: wh_…")]


@command(app, "list")
def list_webhooks(session: Session) -> None:
    """List webhooks, never their secrets."""
    with session.connect() as client:
        found = [*client.webhooks.list()]
    rows = [
        (
            w.id,
            "disabled" if w.disabled_at else "failing" if w.failing_since else "enabled",
            w.jobs,
            " ".join(w.kinds) or "all kinds",
            w.url,
        )
        for w in found
    ]
    columns = ("ID", "STATE", "JOBS", "KINDS", "URL")
    session.show(found, lambda out: out.print(table(columns, rows)))


@command(app, "show")
def show(session: Session, webhook: WebhookArgument) -> None:
    """Show one webhook, never its secret."""
    with session.connect() as client:
        found = client.webhooks.get(webhook)
    about = facts(
        [
            ("id", found.id),
            ("name", found.name or None),
            ("url", found.url),
            ("events", " ".join(found.events)),
            ("kinds", " ".join(found.kinds) or "all"),
            ("jobs", found.jobs),
            ("failing since", found.failing_since),
            ("disabled", found.disabled_reason),
        ]
    )
    session.show(found, lambda out: out.print(about))


@command(app, "add")
def add(
    session: Session,
    address: Annotated[
        str, typer.Argument(metavar="URL", help="receives POST requests: https://…")
    ],
    name: Annotated[str, typer.Option(help="what it is for")] = "",
    event: Annotated[
        list[str] | None,
        typer.Option(help="job.succeeded, job.failed or job.cancelled; repeat it; default: all"),
    ] = None,
    kind: Annotated[
        list[str] | None, typer.Option(help="only this kind of job; repeat it; default: all")
    ] = None,
    *,
    all_jobs: Annotated[
        bool, typer.Option("--all-jobs", help="also jobs of other keys; needs an admin key")
    ] = False,
) -> None:
    """Add a webhook; its secret is shown this once."""
    asked = WebhookCommand.model_validate(
        {"url": address, "name": name, "kinds": kind or [], "jobs": "all" if all_jobs else "own"}
        | ({"events": event} if event else {})
    )
    with session.connect() as client:
        _show_secret(session, client.webhooks.add(asked))


@command(app, "remove")
def remove(session: Session, webhook: WebhookArgument) -> None:
    """Remove a webhook, with all that it still had to deliver."""
    with session.connect() as client:
        client.webhooks.remove(webhook)
    session.show({"removed": webhook}, lambda out: out.print(f"removed {webhook}", markup=False))


@command(app, "rotate")
def rotate(session: Session, webhook: WebhookArgument) -> None:
    """Change a webhook's secret; the old one signs as well for 24 hours."""
    with session.connect() as client:
        _show_secret(session, client.webhooks.rotate(webhook))


@command(app, "enable")
def enable(session: Session, webhook: WebhookArgument) -> None:
    """Have a disabled webhook deliver again."""
    with session.connect() as client:
        enabled = client.webhooks.enable(webhook)
    session.show(enabled, lambda out: out.print(f"enabled {webhook}", markup=False))


@command(app, "test")
def test(session: Session, webhook: WebhookArgument) -> None:
    """Send a ping; `deliveries` shows how that went."""
    with session.connect() as client:
        _show_deliveries(session, [client.webhooks.test(webhook)])


@command(app, "deliveries")
def deliveries(
    session: Session,
    webhook: WebhookArgument,
    status: Annotated[DeliveryStatus | None, typer.Option(help="only in this state")] = None,
    limit: Annotated[int, typer.Option(min=1, help="at most so many")] = 20,
) -> None:
    """List what was or will be sent, newest first."""
    with session.connect() as client:
        found = [*client.webhooks.deliveries(webhook, status=status, limit=limit)]
    _show_deliveries(session, found)


@command(app, "redeliver")
def redeliver(
    session: Session,
    webhook: WebhookArgument,
    delivery: Annotated[str, typer.Argument(metavar="DELIVERY", help="an id: msg_…")],
) -> None:
    """Send a delivery again at once, under the same id."""
    with session.connect() as client:
        _show_deliveries(session, [client.webhooks.redeliver(webhook, delivery)])


def _show_secret(session: Session, made: NewWebhook) -> None:
    about = facts([("id", made.id), ("url", made.url), ("secret", made.secret)])
    session.show(made, lambda out: out.print(about))
    session.tell("Keep the secret: it is not shown again.")


def _show_deliveries(session: Session, found: list[Delivery]) -> None:
    rows = [
        (
            d.id,
            d.event,
            d.job,
            d.status,
            len(d.attempts),
            (d.attempts[-1].error or d.attempts[-1].status) if d.attempts else None,
        )
        for d in found
    ]
    columns = ("ID", "EVENT", "JOB", "STATUS", "ATTEMPTS", "LAST")
    session.show(found, lambda out: out.print(table(columns, rows)))
