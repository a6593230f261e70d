"""How far long work is: bars on a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Column
from rich.text import Text

from lesiongan.cli.session import plain

#: Without a terminal, at most a line in so many seconds.
LINE_SECONDS = 5.0


class Step(Protocol):
    """One piece of work that is being done."""

    def update(
        self, done: float, total: float | None, note: str = "", eta_seconds: float | None = None
    ) -> None:
        """``done`` of ``total`` (None: unknown); ``note`` says it in words."""


class Display(Protocol):
    """Shows steps one after another; each stays visible when it has ended."""

    def step(self, label: str) -> AbstractContextManager[Step]:
        """Begin a step; it has ended when its ``with`` block ends without an error."""


@contextmanager
def display(*, quiet: bool = False) -> Iterator[Display]:
    """A display on standard error. ``quiet`` shows nothing unless standard error is a terminal."""
    if not sys.stderr.isatty():
        yield _Lines(quiet=quiet)
        return
    columns = (
        SpinnerColumn(finished_text=Text("✓", style="green")),
        TextColumn("{task.description}", table_column=Column(no_wrap=True)),
        BarColumn(bar_width=16),
        TimeElapsedColumn(),
        TextColumn("{task.fields[eta]}", style="yellow", table_column=Column(no_wrap=True)),
        # Last, because it is what a narrow terminal may cut.
        TextColumn("{task.fields[note]}", markup=False, table_column=Column(ratio=1, no_wrap=True)),
    )
    with Progress(*columns, console=Console(stderr=True), expand=True) as bars:
        yield _Bars(bars)


class _Bars:
    def __init__(self, bars: Progress) -> None:
        self._bars = bars

    @contextmanager
    def step(self, label: str) -> Iterator[Step]:
        task = self._bars.add_task(plain(label), total=None, note="", eta="")
        step = _Bar(self._bars, task)
        yield step
        step.finish()


class _Bar:
    def __init__(self, bars: Progress, task: TaskID) -> None:
        self._bars = bars
        self._task = task
        self._done = 0.0

    def update(
        self, done: float, total: float | None, note: str = "", eta_seconds: float | None = None
    ) -> None:
        self._done = done
        words, eta = plain(note), _eta(eta_seconds)
        self._bars.update(self._task, completed=done, total=total or None, note=words, eta=eta)

    def finish(self) -> None:
        total = self._done or 1.0
        self._bars.update(self._task, completed=total, total=total, eta="")


class _Lines:
    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet

    @contextmanager
    def step(self, label: str) -> Iterator[Step]:
        line = _Line(label, quiet=self._quiet)
        yield line
        line.finish()


class _Line:
    def __init__(self, label: str, *, quiet: bool) -> None:
        self._label = label
        self._quiet = quiet
        self._note = ""
        self._began = self._said_at = time.monotonic()
        self._say("…")

    def update(
        self, done: float, total: float | None, note: str = "", eta_seconds: float | None = None
    ) -> None:
        self._note = note
        if time.monotonic() - self._said_at < LINE_SECONDS:
            return
        self._said_at = time.monotonic()
        percent = f"{100 * done / total:.0f} % " if total else ""
        self._say(f"{percent}{note}  {_eta(eta_seconds)}".rstrip())

    def finish(self) -> None:
        seconds = time.monotonic() - self._began
        self._say(f"done in {seconds:.1f} s {self._note}".rstrip())

    def _say(self, words: str) -> None:
        if not self._quiet:
            typer.echo(plain(f"{self._label}: {words}"), err=True)


def _eta(seconds: float | None) -> str:
    if seconds is None or seconds < 1:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    return f"ETA {minutes}:{rest:02d}"


def megabytes(done: int, total: int | None) -> str:
    """Bytes in words."""
    if total is None:
        return f"{done / 1e6:.1f} MB"
    return f"{done / 1e6:.1f} of {total / 1e6:.1f} MB"
