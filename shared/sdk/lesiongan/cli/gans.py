"""``lesiongan gans``."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from lesiongan.cli.command import command
from lesiongan.cli.progress import display, megabytes
from lesiongan.cli.session import Session, facts, show_file, table
from lesiongan.cli.watching import WatchOption, look
from lesiongan.contracts.gans import Gan
from lesiongan.contracts.jobs import ENDED

app = typer.Typer(help="GANs: train, sample, list, look, choose, take home.", no_args_is_help=True)

GanArgument = Annotated[str, typer.Argument(metavar="GAN", help="an id: gan_…")]


@command(app, "list")
def list_gans(
    session: Session,
    limit: Annotated[int, typer.Option(min=1, help="at most so many")] = 50,
) -> None:
    """List GANs, newest first."""
    with session.connect() as client:
        found = [*client.gans.list(limit=limit)]
    rows = [
        (
            g.id,
            g.status,
            f"{g.step}/{g.steps}",
            "default" if g.default else "",
            "phantom" if g.phantom else "",
            g.name,
        )
        for g in found
    ]
    columns = ("ID", "STATUS", "STEP", "DEFAULT", "DATA", "NAME")
    session.show(found, lambda out: out.print(table(columns, rows)))


@command(app, "show")
def show(session: Session, gan: GanArgument, *, watch: WatchOption = False) -> None:
    """Show one GAN."""
    with session.connect() as client:
        look(
            session,
            lambda: client.gans.get(gan),
            print_gan,
            ended=lambda found: found.status in ENDED,
            watch=watch,
        )


@command(app, "metrics")
def metrics(
    session: Session,
    gan: GanArgument,
    last: Annotated[int, typer.Option(min=1, help="the last so many points")] = 20,
) -> None:
    """Show losses and scores over the steps; --json prints all points."""
    with session.connect() as client:
        series = client.gans.metrics(gan)
    points = series.points[-last:]
    names = list(dict.fromkeys(name for point in points for name in point.values))
    rows = [
        (p.step, *(f"{p.values[name]:.4g}" if name in p.values else None for name in names))
        for p in points
    ]
    session.show(series, lambda out: out.print(table(("STEP", *names), rows)))


@command(app, "preview")
def preview(
    session: Session,
    gan: GanArgument,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="default: GAN.png")] = None,
    step: Annotated[int | None, typer.Option(min=0, help="default: the latest")] = None,
) -> None:
    """Save the grid of samples that a GAN made while it trained."""
    path = output or Path(f"{gan}.png")
    with session.connect() as client:
        path.write_bytes(client.gans.preview_png(gan, step=step))
    show_file(session, path)


@command(app, "pairs")
def pairs(
    session: Session,
    gan: GanArgument,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="default: GAN-pairs.png")
    ] = None,
) -> None:
    """Save the samples that come closest to training images, beside those."""
    path = output or Path(f"{gan}-pairs.png")
    with session.connect() as client:
        path.write_bytes(client.gans.pairs_png(gan))
    show_file(session, path)


@command(app, "card")
def card(session: Session, gan: GanArgument) -> None:
    """Show a GAN's card: what it was trained on, how, its scores and its limits."""
    with session.connect() as client:
        text = client.gans.card(gan)
    session.show({"card": text}, lambda out: out.print(text, markup=False, highlight=False))


@command(app, "previews")
def previews(session: Session, gan: GanArgument) -> None:
    """List the steps whose samples can be looked at: `gans preview --step`."""
    with session.connect() as client:
        found = client.gans.previews(gan)
    session.show(found, lambda out: out.print(table(("STEP",), [(step,) for step in found.steps])))


@command(app, "default")
def default(session: Session, gan: GanArgument) -> None:
    """Make this the GAN that `generate` takes when none is named."""
    with session.connect() as client:
        show_gan(session, client.gans.set_default(gan))


@command(app, "weights")
def weights(
    session: Session,
    gan: GanArgument,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="default: GAN.safetensors")
    ] = None,
) -> None:
    """Download a GAN's generator as safetensors."""
    path = output or Path(f"{gan}.safetensors")
    with (
        session.connect() as client,
        display(quiet=session.terse) as shown,
        shown.step(f"download {gan}") as step,
    ):

        def show_received(received: int, total: int | None) -> None:
            step.update(received, total, megabytes(received, total))

        client.gans.weights(gan, path, on_progress=show_received)
    show_file(session, path)


@command(app, "delete")
def delete(
    session: Session,
    *,
    gan: GanArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask")] = False,
) -> None:
    """Delete a GAN."""
    if not yes:
        typer.confirm(f"Delete {gan}?", abort=True, err=True)
    with session.connect() as client:
        client.gans.delete(gan)
    session.show({"deleted": gan}, lambda out: out.print(f"deleted {gan}", markup=False))


def show_gan(session: Session, gan: Gan) -> None:
    """A GAN as facts."""
    session.show(gan, lambda out: print_gan(out, gan))


def print_gan(out: Console, gan: Gan) -> None:
    """Facts about a GAN."""
    about = facts(
        [
            ("gan", gan.id),
            ("name", gan.name),
            ("status", f"{gan.status}, step {gan.step} of {gan.steps}"),
            ("default", "yes" if gan.default else None),
            ("trained on", f"{gan.dataset}{' (phantom)' if gan.phantom else ''}"),
            ("categories", ", ".join(gan.categories)),
            ("images", f"{gan.image_size} by {gan.image_size} pixels, {gan.channels} channel(s)"),
            ("resumed from", gan.resumed_from_step),
            ("weights", gan.weights_sha256),
            *_scores(gan),
            ("job", gan.job),
        ]
    )
    out.print(about)


def _scores(gan: Gan) -> list[tuple[str, str]]:
    """The headline figures, each beside its floor, and what was found of copies."""
    scores = gan.scores
    if scores.kid is None:
        return []
    names = ("kid", "fid", "precision", "recall", "density", "coverage")
    values = scores.model_dump()
    shown = [
        (name, f"{values[name]:.4g}" + _beside(values[f"{name}_floor"]))
        for name in names
        if values[name] is not None
    ]
    counts = f"{scores.n} samples, {scores.n_real} images of {scores.against}"
    shown.append(("scored in", f"{scores.space}: {counts}"))
    found = scores.memorisation
    if found is not None:
        verdict = "refused: " if found.refused else ""
        shown.append(("copies", f"{verdict}{found.copies:.1%} of {found.n} samples"))
    return shown


def _beside(floor: float | None) -> str:
    return "" if floor is None else f" (real images: {floor:.4g})"
