"""Starting and stopping the whole stack from outside: `up`, `down`, and what runs now."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from deploy.local.failures import StackError, ended_early, too_slow
from deploy.local.files import read_object
from deploy.local.health import is_ready
from deploy.local.layout import Layout, home_folder, open_layout
from deploy.local.leftovers import clear_leftovers
from deploy.local.lock import hold
from deploy.local.processes import is_alive, kill_trees, wait_gone
from deploy.local.record import SUPERVISOR, Record, read_record

# PostgreSQL alone may need two minutes to recover after a crash.
UP_SECONDS = 180.0
DOWN_SECONDS = 75.0
PAUSE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Status:
    """What runs in a home folder: `phase` is `stopped` when no supervisor lives."""

    phase: str
    url: str
    processes: dict[str, int]


def up(
    home: Path | str | None = None, port: int | None = None, *, servers_only: bool = False
) -> dict[str, Any]:
    """Start the stack unless it runs, wait until it is ready, and return its `stack.json`.

    `port` of the API: None prefers the last one, then 8000, then any; 0 prefers the last one,
    then any. Raises StackError, whose message names the process that failed and its log.
    """
    layout = open_layout(home)
    end = time.monotonic() + UP_SECONDS
    started: psutil.Process | None = None
    while time.monotonic() < end:
        record = read_record(layout)
        ours = record is not None and started is not None and _is(record.pids, started)
        if record is not None and started is not None and record.phase == "failed" and ours:
            wait_gone([started], DOWN_SECONDS)
            raise StackError(record.detail)
        if record is not None and record.supervisor is not None:
            description = read_object(layout.stack)
            if description is not None and _serves(record):
                return description
        elif ours:
            raise ended_early(SUPERVISOR, layout.log(SUPERVISOR))
        elif started is None or not is_alive(started):
            # None runs, or ours made way for another that has ended since.
            started = _detach(layout, port, servers_only=servers_only)
        time.sleep(PAUSE_SECONDS)
    raise too_slow("the stack", UP_SECONDS, layout.log(SUPERVISOR))


def down(home: Path | str | None = None) -> bool:
    """End the stack and everything it started; False if it did not run. The data stay."""
    layout = Layout(home_folder(home))
    record = read_record(layout)
    if record is None:
        return False
    supervisor = record.supervisor
    if supervisor is not None:
        supervisor.terminate()
        if wait_gone([supervisor], DOWN_SECONDS):
            kill_trees([supervisor])
    left = record.living()
    with hold(layout):
        clear_leftovers(layout)
    return supervisor is not None or bool(left)


def status(home: Path | str | None = None) -> Status:
    """What runs now."""
    record = read_record(Layout(home_folder(home)))
    if record is None or record.supervisor is None:
        return Status(phase="stopped", url="", processes={})
    return Status(phase=record.phase, url=record.url, processes=record.pids)


def _serves(record: Record) -> bool:
    """Whether all of it lives and the API says so, not only the record."""
    living = len(record.living()) == len(record.processes)
    return record.phase == "ready" and living and ("api" not in record.pids or is_ready(record.url))


def _is(pids: dict[str, int], process: psutil.Process) -> bool:
    return pids.get(SUPERVISOR) == process.pid


def _detach(layout: Layout, port: int | None, *, servers_only: bool) -> psutil.Process:
    """Start the supervisor, a child of no one here, and return its process."""
    options = [] if port is None else ["--port", str(port)]
    options += ["--servers-only"] if servers_only else []
    module = (sys.executable, "-m", "deploy.local.detach", str(layout.home), *options)
    with layout.log(SUPERVISOR).open("ab") as log:
        asked = subprocess.run(
            module, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, check=False
        )
    try:
        return psutil.Process(int(asked.stdout))
    except (ValueError, psutil.NoSuchProcess):
        raise ended_early(SUPERVISOR, layout.log(SUPERVISOR)) from None
