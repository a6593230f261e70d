"""The command line: ``lesiongan``."""

import os
import sys
from importlib.metadata import PackageNotFoundError, version
from types import TracebackType
from typing import Annotated

import typer

from lesiongan.cli import (
    accounting,
    classifiers,
    classify,
    console,
    experiment,
    experiments,
    gans,
    generate,
    images,
    jobs,
    keys,
    preview,
    regenerate,
    servers,
    webhooks,
    withdraw,
    work,
)
from lesiongan.cli.extensions import add_extensions
from lesiongan.cli.session import plain

__all__ = ["app", "main"]

#: Set to anything, a bug shows its traceback.
TRACEBACK_VARIABLE = "LESIONGAN_TRACEBACK"
ABOUT = (
    "Training data for CT lesion classification, from a LesionGAN server.\n\n"
    "The server: --url and --key or --profile of each command, else LESIONGAN_URL and "
    "LESIONGAN_KEY, else the embedded stack of this folder or its parents, else the default "
    "profile. Exit codes: 0 done, 1 it did not happen (the error says why), 2 the command was "
    "written wrongly, 130 Ctrl-C."
)


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - Typer calls it
    if not wanted:
        return
    try:
        typer.echo(version("lesiongan"))
    except PackageNotFoundError:
        typer.echo("not installed: running from its source")
    raise typer.Exit


def make_app() -> typer.Typer:
    """All commands, the added ones included."""
    made = typer.Typer(
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    made.callback(help=ABOUT)(_about)
    groups = (
        work,
        generate,
        regenerate,
        classify,
        experiment,
        withdraw,
        accounting,
        console,
        servers,
    )
    for commands in (group.app for group in groups):
        made.add_typer(commands)
    for name, group in (
        ("datasets", images.app),
        ("gans", gans.app),
        ("classifiers", classifiers.app),
        ("experiments", experiments.app),
        ("preview", preview.app),
        ("jobs", jobs.app),
        ("keys", keys.app),
        ("webhooks", webhooks.app),
        ("withdrawals", withdraw.withdrawals_app),
        ("profiles", servers.profiles_app),
    ):
        made.add_typer(group, name=name)
    add_extensions(made)
    return made


def _about(
    *,
    show_version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="the version")
    ] = False,
) -> None:
    """What stands before every command."""


app = make_app()


def main() -> None:
    """The entry point ``lesiongan``."""
    if not os.environ.get(TRACEBACK_VARIABLE):
        sys.excepthook = _tell_bug
    app()


def _tell_bug(kind: type[BaseException], error: BaseException, _: TracebackType | None) -> None:
    words = " ".join(f"{kind.__name__}: {error}".split())
    typer.echo(f"error: {plain(words)} (a bug: {TRACEBACK_VARIABLE}=1 shows where)", err=True)
