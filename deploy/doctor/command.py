"""The command itself."""

from __future__ import annotations

import json
import logging
import os
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from deploy.doctor.database import check_database
from deploy.doctor.finding import Finding, Findings, error
from deploy.doctor.installation import Installation, NothingHere, find_installation
from deploy.doctor.machine import check_disk, check_gpus, check_threads, cores
from deploy.doctor.running import check_api, check_traces, check_workers
from deploy.doctor.settings import check_settings, read_settings
from deploy.doctor.stores import check_redis, check_store
from deploy.local.layout import HOME_VARIABLE, Layout, home_folder
from shared.settings import get_settings

Home = Annotated[
    Path | None,
    typer.Option("--home", envvar=HOME_VARIABLE, help="Folder of the stack [.lesiongan]"),
]
Url = Annotated[str | None, typer.Option("--url", help="Address of the API, as seen from here")]
Key = Annotated[str | None, typer.Option("--key", help="A key to try")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON")]
_STYLES = {"ok": "green", "warning": "yellow", "error": "red"}


def doctor(
    *, home: Home = None, url: Url = None, key: Key = None, json_output: Json = False
) -> None:
    """Look for what is wrong with this installation; exit code 1 if something is.

    Looks at what the LESIONGAN_ variables name, else at the embedded stack of this folder. Changes
    nothing; an object of some bytes is written and deleted.
    """
    logging.disable(logging.WARNING)  # what the servers' clients log is said by the findings
    with Console(stderr=True).status("looking"):
        findings = list(examine(Layout(home_folder(home)), url=url, key=key))
    broken = any(each.level == "error" for each in findings)
    if json_output:
        content = {"ok": not broken, "findings": [asdict(each) for each in findings]}
        typer.echo(json.dumps(content, indent=2))
    else:
        _show(findings)
    if broken:
        raise typer.Exit(1)


def examine(layout: Layout, *, url: str | None, key: str | None) -> Findings:
    """Every check there is; those that need what is broken are left out."""
    try:
        found = find_installation(layout)
    except NothingHere:
        said = f"no LESIONGAN_DATABASE_URL is set, and {layout.home} holds no stack"
        yield error("installation", said, "run `lesiongan up`, or run this where the services run")
        return
    os.environ.update(found.variables)
    get_settings.cache_clear()
    settings, finding = read_settings()
    yield finding
    yield from check_disk(found.home)
    yield from check_threads(cores())
    yield from check_gpus()
    if settings is None:
        return
    yield from check_settings(settings, found.variables)
    yield from check_database(settings)
    yield from check_redis(settings)
    yield from check_store(settings)
    yield from check_workers(settings)
    yield from _check_api(found, url, key, public_url=settings.public_url)
    yield from check_traces(settings)


def _check_api(
    found: Installation, url: str | None, key: str | None, *, public_url: str
) -> Findings:
    named = url or found.url
    embedded = found.home is not None
    yield from check_api(
        (named or public_url).rstrip("/"), key or found.key, named=bool(named) or embedded
    )


def _show(findings: list[Finding]) -> None:
    table = Table("", "check", "found", "what to do")
    for each in findings:
        mark = Text(each.level, style=_STYLES[each.level])
        table.add_row(mark, each.check, Text(each.said), Text(each.todo))
    Console().print(table)
    counts = Counter(each.level for each in findings)
    typer.echo(f"{counts['error']} errors, {counts['warning']} warnings, {counts['ok']} well")
