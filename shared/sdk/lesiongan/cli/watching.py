"""``--watch``: look again and again, until what is looked at has ended."""

import sys
import time
from collections.abc import Callable
from typing import Annotated, TypeVar

import typer
from rich.console import Console

from lesiongan.cli.session import Session, as_line

WATCH_SECONDS = 2.0

Seen = TypeVar("Seen")
WatchOption = Annotated[
    bool, typer.Option("--watch", "-w", help="show it again whenever it changes, until it ended")
]


def look(
    session: Session,
    get: Callable[[], Seen],
    render: Callable[[Console, Seen], None],
    *,
    ended: Callable[[Seen], bool],
    watch: bool,
) -> Seen:
    """Show what ``get`` answers, once or until it has ended; with ``--json``, a line a change."""
    seen = get()
    if not watch:
        session.show(seen, lambda out: render(out, seen))
        return seen
    shown = ""
    while True:
        now = as_line(seen)
        if now != shown:
            _show(session, seen, render)
            shown = now
        if ended(seen):
            return seen
        time.sleep(WATCH_SECONDS)
        seen = get()


def _show(session: Session, seen: Seen, render: Callable[[Console, Seen], None]) -> None:
    if session.json:
        typer.echo(as_line(seen))
        return
    if sys.stdout.isatty() and not session.quiet:
        Console().clear()
    session.show(seen, lambda out: render(out, seen))
