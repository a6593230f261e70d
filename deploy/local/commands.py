"""`lesiongan up`, `down` and `status`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from deploy.local import stack
from deploy.local.failures import StackError
from deploy.local.files import read_object
from deploy.local.layout import HOME_VARIABLE, Layout, home_folder
from lesiongan.client import Client
from lesiongan.errors import ClientError

Home = Annotated[
    Path | None,
    typer.Option("--home", envvar=HOME_VARIABLE, help="Folder of the stack [.lesiongan]"),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON")]
Port = Annotated[int | None, typer.Option("--port", min=0, max=65535, help="Port of the API")]


def up(*, home: Home = None, port: Port = None, json_output: Json = False) -> None:
    """Start the stack on this machine, or find the one that runs."""
    with Console(stderr=True).status("starting the stack"):
        try:
            description = stack.up(home, port)
        except StackError as error:
            raise _refusal(error) from None
    if json_output:
        typer.echo(json.dumps(description, indent=2))
        return
    url, key = description["url"], description["key"]
    typer.echo(f"LesionGAN runs at {url}  (documentation: {url}/docs)\n")
    typer.echo(f"Console, signs in once: {sign_in_address(url, key)}\n")
    typer.echo(f"  export LESIONGAN_URL={url} LESIONGAN_KEY={key}")
    typer.echo(f'  curl -H "Authorization: Bearer {key}" {url}/jobs')
    typer.echo(f'  curl -H "Authorization: Bearer {key}" -o liver.zip \\')
    typer.echo(f'    "{url}/generate?category=liver&n=500"\n')
    typer.echo("Stop it with: lesiongan down")


def down(*, home: Home = None, json_output: Json = False) -> None:
    """Stop the stack of this machine; its data stay."""
    try:
        stopped = stack.down(home)
    except StackError as error:
        raise _refusal(error) from None
    if json_output:
        typer.echo(json.dumps({"stopped": stopped}))
    else:
        typer.echo("The stack is stopped." if stopped else "The stack did not run.")


def status(*, home: Home = None, json_output: Json = False) -> None:
    """Show what runs on this machine; exit code 1 if the stack is not ready."""
    found = stack.status(home)
    layout = Layout(home_folder(home))
    if json_output:
        content = {"phase": found.phase, "url": found.url, "processes": found.processes}
        typer.echo(json.dumps(content, indent=2))
    elif found.phase == "stopped":
        typer.echo("The stack does not run. Start it with: lesiongan up")
    else:
        table = Table("process", "pid", "log", title=f"{found.url}: {found.phase}")
        for name, pid in found.processes.items():
            table.add_row(name, str(pid), str(layout.log(name)))
        Console().print(table)
        typer.echo(f"The key is in {layout.stack}")
        description = read_object(layout.stack)
        if found.phase == "ready" and description is not None:
            link = sign_in_address(description["url"], description["key"])
            typer.echo(f"Console, signs in once: {link}")
    if found.phase != "ready":
        raise typer.Exit(1)


def sign_in_address(url: str, key: str) -> str:
    """A link into the console; without one, where to sign in with a key."""
    try:
        with Client(url, key) as client:
            return client.console.sign_in_link().url
    except ClientError:
        return url


def _refusal(error: StackError) -> typer.Exit:
    typer.echo(f"error: {error}", err=True)
    return typer.Exit(1)
