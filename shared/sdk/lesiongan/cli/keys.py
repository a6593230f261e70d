"""``lesiongan keys``."""

from typing import Annotated

import typer

from lesiongan.cli.command import command
from lesiongan.cli.session import Session, facts, table
from lesiongan.contracts.keys import KeyCommand

app = typer.Typer(help="API keys, for holders of an admin key.", no_args_is_help=True)


@command(app, "list")
def list_keys(session: Session) -> None:
    """List keys, never their secrets."""
    with session.connect() as client:
        found = [*client.keys.list()]
    rows = [
        (
            k.id,
            " ".join(k.scopes),
            "revoked" if k.revoked_at else "",
            f"{k.expires_at:%Y-%m-%d}" if k.expires_at else "never",
            k.name,
        )
        for k in found
    ]
    columns = ("ID", "SCOPES", "STATE", "EXPIRES", "NAME")
    session.show(found, lambda out: out.print(table(columns, rows)))


@command(app, "create")
def create(
    session: Session,
    name: Annotated[str, typer.Argument(help="whose key it is, or what for")],
    scope: Annotated[
        list[str] | None,
        typer.Option(help="read, submit or admin; repeat it; default: read and submit"),
    ] = None,
) -> None:
    """Make a key; its secret is shown this once."""
    asked = KeyCommand.model_validate({"name": name} | ({"scopes": scope} if scope else {}))
    with session.connect() as client:
        made = client.keys.create(asked)
    about = facts([("id", made.id), ("scopes", " ".join(made.scopes)), ("key", made.key)])
    session.show(made, lambda out: out.print(about))
    session.tell("Keep it: it is not shown again.")


@command(app, "revoke")
def revoke(
    session: Session,
    key_id: Annotated[str, typer.Argument(metavar="KEY_ID", help="an id: key_…")],
) -> None:
    """Make a key worthless at once."""
    with session.connect() as client:
        client.keys.revoke(key_id)
    session.show({"revoked": key_id}, lambda out: out.print(f"revoked {key_id}", markup=False))
