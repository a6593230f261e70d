"""What every command has: a server to talk to, and where its words go.

Results go to standard output, and with ``--json`` nothing else does; progress, hints and errors go
to standard error.
"""

import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import Any

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lesiongan.client import Client

#: Columns when nobody looks: what reads a pipe wants whole ids, not lines that fit a screen.
PIPE_COLUMNS = 400
#: A person wants to know at once that nothing answers; waiting for a job is more patient.
MAX_RETRIES = 2


@dataclass(frozen=True)
class Session:
    """One run of a command."""

    url: str | None = None
    key: str | None = None
    profile: str | None = None
    json: bool = False
    #: Ids, paths and links alone.
    quiet: bool = False

    @property
    def terse(self) -> bool:
        """Whether a program reads what is printed."""
        return self.json or self.quiet

    def connect(self) -> Client:
        """A client of the server that the options, the environment or the stack's file name."""
        return Client(self.url, self.key, profile=self.profile, max_retries=MAX_RETRIES)

    def show(self, result: Any, render: Callable[[Console], None]) -> None:
        """Print ``result`` as JSON or by its id, or let ``render`` print it for people."""
        if self.json:
            print_json(result)
        elif self.quiet:
            for name in names_of(result):
                typer.echo(plain(name))
        else:
            self.render(render)

    def render(self, render: Callable[[Console], None]) -> None:
        """Let ``render`` print for people."""
        width = None if sys.stdout.isatty() else PIPE_COLUMNS
        render(Console(width=width, highlight=False, emoji=False))

    def tell(self, sentence: str) -> None:
        """One line for people, beside the result."""
        typer.echo(plain(sentence), err=True)


def print_json(result: Any) -> None:
    """``result`` as one JSON document on standard output."""
    typer.echo(json.dumps(as_json(result), indent=2, ensure_ascii=False))


def as_line(result: Any) -> str:
    """``result`` as one line of JSON."""
    return json.dumps(as_json(result), ensure_ascii=False)


def names_of(result: Any) -> list[str]:
    """What a result is called: its id, a file's path, a link; of a list, that of each item."""
    if isinstance(result, list):
        return [name for item in result for name in names_of(item)]
    members = result if isinstance(result, dict) else vars(result)
    found = (members.get(name) for name in ("id", "path", "url", "dataset", "category"))
    return [str(name) for name in found if name is not None][:1]


def as_json(value: Any) -> Any:
    """Contract models, dataclasses and paths as JSON values."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if is_dataclass(value) and not isinstance(value, type):
        return as_json(asdict(value))
    if isinstance(value, dict):
        return {name: as_json(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(member) for member in value]
    return str(value) if isinstance(value, Path) else value


def plain(value: object) -> str:
    """``value`` without control characters: names come from strangers, terminals obey."""
    return "".join(
        c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in str(value)
    )


def table(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> Table:
    """A table whose cells are shown as they are, never as markup."""
    result = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        result.add_column(column, overflow="fold")
    for row in rows:
        result.add_row(*(Text("-" if cell is None else plain(cell)) for cell in row))
    return result


def facts(rows: Iterable[tuple[str, object]]) -> Table:
    """Names and values, one pair a line."""
    result = Table(box=None, pad_edge=False, show_header=False)
    result.add_column(style="bold", no_wrap=True)
    result.add_column(overflow="fold")
    for name, value in rows:
        if value is not None:
            result.add_row(name, Text(plain(value)))
    return result


def show_file(session: Session, path: Path) -> None:
    """Say which file was written."""
    result = {"path": str(path), "bytes": path.stat().st_size}
    session.show(result, lambda out: out.print(str(path), markup=False))
