"""Commands that other distributions or extras add: the entry-point group ``lesiongan.commands``.

Each entry point is a function or a Typer app; it is loaded when its command is called, so that a
command line without the extra stays small and fast.
"""

from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import typer

GROUP = "lesiongan.commands"
#: What the extra ``local`` adds; named even where it is missing, to say how to get it.
LOCAL_COMMANDS = {
    "up": "Start the embedded stack, or find it running.",
    "down": "Stop the embedded stack; its data stays.",
    "status": "What runs of the embedded stack.",
    "doctor": "What is wrong with an installation, and what to do.",
    "demo": "The whole way, from phantoms to 500 synthetic liver images.",
}
_FORWARDING = {
    "allow_extra_args": True,
    "ignore_unknown_options": True,
    # `--help` belongs to the command that is loaded.
    "help_option_names": [],
}


def add_extensions(app: typer.Typer) -> None:
    """Add every command of the group, and the ones of the extra ``local`` in any case."""
    found = {point.name: point for point in entry_points(group=GROUP)}
    for name in [*LOCAL_COMMANDS, *(found.keys() - LOCAL_COMMANDS.keys())]:
        _add(app, name, found.get(name))


def _add(app: typer.Typer, name: str, point: EntryPoint | None) -> None:
    def forward(context: typer.Context) -> None:
        extension = as_app(_load(name, point))
        extension(args=context.args, prog_name=f"lesiongan {name}")

    app.command(
        name,
        help=LOCAL_COMMANDS.get(name),
        context_settings=_FORWARDING,
        rich_help_panel="On this machine" if name in LOCAL_COMMANDS else "Added",
    )(forward)


def _load(name: str, point: EntryPoint | None) -> Any:
    why = "the extra is not installed"
    if point is not None:
        try:
            return point.load()
        except ModuleNotFoundError as error:
            why = f"there is no module {error.name}"
    typer.echo(f"error: `lesiongan {name}` needs: pip install 'lesiongan[local]' ({why})", err=True)
    raise typer.Exit(1)


def as_app(extension: Callable[..., None] | typer.Typer) -> typer.Typer:
    """A Typer app as it is, a function as an app of one command."""
    if isinstance(extension, typer.Typer):
        return extension
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(extension)
    return app
