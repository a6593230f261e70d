"""``lesiongan keys``."""

from typing import Annotated, Any

import typer

from lesiongan.cli.command import command
from lesiongan.cli.session import Session, facts, table
from lesiongan.contracts.keys import Key, KeyChange, KeyCommand, NewKey

app = typer.Typer(help="API keys, for holders of an admin key.", no_args_is_help=True)

KeyArgument = Annotated[str, typer.Argument(metavar="KEY_ID", help="an id: key_…")]
LimitOption = Annotated[str | None, typer.Option(metavar="N|none", help="none: no limit")]


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
    _show_new(session, made)


@command(app, "show")
def show(session: Session, key_id: KeyArgument) -> None:
    """Show a key, never its secret."""
    with session.connect() as client:
        found = client.keys.get(key_id)
    session.show(found, lambda out: out.print(_about(found)))


@command(app, "change")
def change(
    session: Session,
    key_id: KeyArgument,
    name: Annotated[str | None, typer.Option(help="whose key it is, or what for")] = None,
    expires: Annotated[
        str | None, typer.Option(metavar="TIME|never", help="as in 2027-01-01T00:00:00Z")
    ] = None,
    stored_bytes: LimitOption = None,
    queued_jobs: LimitOption = None,
    device_seconds: LimitOption = None,
) -> None:
    """Change a key's name, expiry or quota; what is not named stays."""
    limits = {
        "stored_bytes": stored_bytes,
        "queued_jobs": queued_jobs,
        "device_seconds": device_seconds,
    }
    quota = {what: _number(limit) for what, limit in limits.items() if limit is not None}
    given: dict[str, Any] = {"name": name} if name is not None else {}
    if expires is not None:
        given["expires_at"] = None if expires == "never" else expires
    if quota:
        given["quota"] = quota
    command = KeyChange.model_validate(given)
    with session.connect() as client:
        changed = client.keys.change(key_id, command)
    session.show(changed, lambda out: out.print(_about(changed)))


@command(app, "rotate")
def rotate(
    session: Session,
    key_id: KeyArgument,
    grace_seconds: Annotated[
        int, typer.Option(min=0, max=7 * 24 * 3600, help="the old secret is good for so long")
    ] = 0,
) -> None:
    """Give a key a new secret; it is shown this once."""
    with session.connect() as client:
        _show_new(session, client.keys.rotate(key_id, grace_seconds=grace_seconds))


@command(app, "revoke")
def revoke(
    session: Session,
    key_id: KeyArgument,
) -> None:
    """Make a key worthless at once."""
    with session.connect() as client:
        client.keys.revoke(key_id)
    session.show({"revoked": key_id}, lambda out: out.print(f"revoked {key_id}", markup=False))


def _number(text: str) -> Any:
    """The limit as JSON has it; what is no number is left for the contract to refuse."""
    if text == "none":
        return None
    return int(text) if text.isdigit() else text


def _show_new(session: Session, made: NewKey) -> None:
    about = facts([("id", made.id), ("scopes", " ".join(made.scopes)), ("key", made.key)])
    session.show(made, lambda out: out.print(about))
    session.tell("Keep it: it is not shown again.")


def _about(key: Key) -> Any:
    quota = key.quota
    return facts(
        [
            ("id", key.id),
            ("name", key.name),
            ("scopes", " ".join(key.scopes)),
            ("expires", key.expires_at or "never"),
            ("revoked", key.revoked_at),
            ("last used", key.last_used_at or "never"),
            ("old secret until", key.old_secret_valid_until),
            ("stored bytes", _limit(quota.stored_bytes)),
            ("queued jobs", _limit(quota.queued_jobs)),
            ("device-seconds", _limit(quota.device_seconds)),
        ]
    )


def _limit(value: float | None) -> object:
    return "no limit" if value is None else value
