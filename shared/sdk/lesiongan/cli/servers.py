"""``lesiongan login``, ``logout``, ``profiles`` and ``health``: which servers there are."""

import sys
from dataclasses import replace
from typing import Annotated

import typer

from lesiongan.cli.command import command
from lesiongan.cli.session import Session, facts, table
from lesiongan.client import Client
from lesiongan.client.profiles import (
    Profile,
    Profiles,
    profiles_file,
    read_profiles,
    write_profiles,
)
from lesiongan.client.server import Server
from lesiongan.errors import Forbidden

app = typer.Typer()
profiles_app = typer.Typer(
    help="Servers that `login` knows: list them, choose the default.", no_args_is_help=True
)
FIRST_NAME = "default"

NameArgument = Annotated[str, typer.Argument(metavar="PROFILE", help="its name")]


@command(app, "login")
def login(
    session: Session,
    address: Annotated[
        str | None, typer.Argument(metavar="URL", help="default: --url, or what is known already")
    ] = None,
) -> None:
    """Keep a server's address and key under a name: --profile, or `default`.

    The key is --key, LESIONGAN_KEY, a line of standard input, or asked for. It is tried, and kept
    in a file that only you can read.
    """
    given = Session(address or session.url, session.key, session.profile)
    known = given if given.url else Session(profile=session.profile)
    with known.connect() as client:
        url = client.server.url
        key = session.key or client.server.key or _ask_for_key()
    with Client(url, key) as client:
        _try(client)
        server = client.server
    name, path = session.profile or FIRST_NAME, profiles_file()
    write_profiles(path, read_profiles(path).with_server(name, Profile(server.url, server.key)))
    if _in_the_clear(server):
        session.tell("warning: the key goes to this server unencrypted; use https")
    kept = {"profile": name, "url": server.url, "path": str(path)}
    session.show(kept, lambda out: out.print(facts([*kept.items()])))


@command(app, "logout")
def logout(session: Session) -> None:
    """Forget a server and its key: --profile, or `default`."""
    name, path = session.profile or FIRST_NAME, profiles_file()
    write_profiles(path, read_profiles(path).without(name))
    session.show({"forgot": name}, lambda out: out.print(f"forgot {name}", markup=False))


@command(profiles_app, "list")
def list_profiles(session: Session) -> None:
    """List the servers that are known, never their keys."""
    kept = read_profiles(profiles_file())
    found = [
        {"id": name, "url": server.url, "default": name == kept.default}
        for name, server in sorted(kept.servers.items())
    ]
    rows = [(each["id"], "default" if each["default"] else "", each["url"]) for each in found]
    session.show(found, lambda out: out.print(table(("PROFILE", "DEFAULT", "URL"), rows)))


@command(profiles_app, "use")
def use(session: Session, name: NameArgument) -> None:
    """Make this the server where none is named."""
    path = profiles_file()
    kept: Profiles = read_profiles(path)
    server = kept.get(name)
    write_profiles(path, replace(kept, default=name))
    chosen = {"id": name, "url": server.url, "default": True}
    session.show(chosen, lambda out: out.print(f"default: {name}", markup=False))


@command(app, "health")
def health(
    session: Session,
    *,
    metrics: Annotated[
        bool, typer.Option("--metrics", help="print its Prometheus metrics instead")
    ] = False,
) -> None:
    """Say which server answers, and whether it can serve; exit code 1 if not."""
    with session.connect() as client:
        if metrics:
            typer.echo(client.health.metrics(), nl=False)
            return
        said = {
            "url": client.server.url,
            "live": client.health.live().status,
            "ready": client.health.ready().status,
        }
    session.show(said, lambda out: out.print(facts([*said.items()])))


def _try(client: Client) -> None:
    """Raises :class:`lesiongan.errors.Unauthorized` for a key that is worth nothing."""
    try:
        next(client.jobs.list(limit=1), None)
    except Forbidden:
        return  # a key that may not read is a key


def _ask_for_key() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("API key", hide_input=True, err=True))
    return sys.stdin.readline().strip()


def _in_the_clear(server: Server) -> bool:
    return server.url.startswith("http://") and not server.loopback
