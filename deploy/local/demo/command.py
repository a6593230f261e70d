"""The command ``lesiongan demo``."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from deploy.local.demo.closing import print_closing
from deploy.local.demo.plan import Made, Plan, Size
from deploy.local.demo.timeline import Timeline
from deploy.local.failures import StackError
from deploy.local.layout import HOME_VARIABLE
from lesiongan.cli.command import tell_error
from lesiongan.cli.exits import FAILED, INTERRUPTED
from lesiongan.cli.progress import display
from lesiongan.cli.session import print_json
from lesiongan.client import Client
from lesiongan.client.server import Server, find_server
from lesiongan.errors import ClientError
from shared.errors import LesionGanError


def demo(  # noqa: PLR0913 - one argument an option
    *,
    url: Annotated[str | None, typer.Option(help="a running server; else one is started")] = None,
    key: Annotated[str | None, typer.Option(help="its key; else LESIONGAN_KEY")] = None,
    out: Annotated[Path, typer.Option(help="where pictures and images go")] = Path("demo-output"),
    home: Annotated[
        Path | None, typer.Option(envvar=HOME_VARIABLE, help="folder of the stack [.lesiongan]")
    ] = None,
    lesions: Annotated[int, typer.Option(min=4, help="phantom lesions a category")] = Plan.lesions,
    steps: Annotated[int, typer.Option(min=1, help="generator steps")] = Plan.steps,
    seeds: Annotated[int, typer.Option(min=1, help="of the experiment")] = Plan.seeds,
    size: Annotated[Size, typer.Option(help="side of the images in pixels")] = Plan.size,
    as_json: Annotated[bool, typer.Option("--json", help="print the summary as JSON")] = False,
) -> None:
    """The whole way: phantoms, preprocessing, a GAN, the four-arm table, 500 liver images."""
    plan = Plan(out=out, lesions=lesions, steps=steps, seeds=seeds, size=size)
    try:
        out.mkdir(parents=True, exist_ok=True)
        made, server = _run(plan, url, key, home, quiet=as_json)
    except ClientError as error:
        tell_error(error)
        raise typer.Exit(FAILED) from None
    except (StackError, LesionGanError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(FAILED) from None
    except KeyboardInterrupt:
        typer.echo(
            "\nstopped; a stack that runs stays up: lesiongan status, lesiongan down", err=True
        )
        raise typer.Exit(INTERRUPTED) from None
    if as_json:
        print_json(made.summary())
    else:
        print_closing(made, server.key or "", Console(highlight=False), started=url is None)


def _run(
    plan: Plan, url: str | None, key: str | None, home: Path | None, *, quiet: bool
) -> tuple[Made, Server]:
    with display(quiet=quiet) as shown:
        timeline = Timeline(shown)
        server = find_server(url, key) if url is not None else _started(timeline, home)
        # Imports of arrays and pictures, after something is to be seen.
        from deploy.local.demo.run import run_demo  # noqa: PLC0415

        with Client(server.url, server.key) as client:
            return run_demo(client, plan, timeline), server


def _started(timeline: Timeline, home: Path | None) -> Server:
    from deploy.local.demo.start import start_stack  # noqa: PLC0415 - only where one is started

    with timeline.step("Start the stack") as step:
        server = start_stack(home)
        step.finish(server.url)
    return server
