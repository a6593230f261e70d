"""The detached supervisor: `python -m deploy.local.supervise HOME [--port N] [--servers-only]`.

It leads its own session, writes `run.json` (for `up` and `down`) and `stack.json` (for people and
programs), and ends with everything it started on SIGTERM. If it is killed, the kernel kills its
children; the next one clears away what was recorded and lives nevertheless.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
from pathlib import Path

from deploy.local.credentials import Credentials
from deploy.local.failures import StackError
from deploy.local.files import write_private
from deploy.local.layout import Layout, open_layout
from deploy.local.leftovers import clear_leftovers
from deploy.local.lock import hold
from deploy.local.ports import choose_ports, remove_sockets
from deploy.local.postgres import data_source
from deploy.local.programs import application_programs
from deploy.local.record import SUPERVISOR, Phase, Record, timed, write_record
from deploy.local.servers import (
    child_environment,
    open_credentials,
    s3_access,
    server_programs,
)
from deploy.local.supervisor import Supervisor
from deploy.local.valkey import redis_url

PAUSE_SECONDS = 0.1


class Stack:
    """One run of the whole stack in this process."""

    def __init__(
        self, layout: Layout, credentials: Credentials, ports: dict[str, int], *, servers_only: bool
    ) -> None:
        self._layout = layout
        self._credentials = credentials
        self._ports = ports
        self._was_ready = self._stopping = False
        environment = child_environment(credentials, ports)
        programs = server_programs(layout, credentials, ports)
        if not servers_only:
            programs += application_programs(layout, credentials, ports, environment)
        self._supervisor = Supervisor(programs, self._publish)

    def run(self, stopping: threading.Event) -> None:
        """Start and keep everything until `stopping` is set. Raises StackError at the start."""
        try:
            while not stopping.is_set():
                self._supervisor.step()
                stopping.wait(PAUSE_SECONDS)
            self._stopping = True
            self._publish()
        finally:
            self._supervisor.stop()
            remove_sockets(self._ports)
            self._layout.stack.unlink(missing_ok=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._ports['api']}"

    @property
    def _phase(self) -> Phase:
        if self._stopping:
            return "stopping"
        return "ready" if self._supervisor.ready else "starting"

    def _publish(self) -> None:
        pids = {SUPERVISOR: os.getpid()} | self._supervisor.pids
        record = Record(phase=self._phase, url=self.url, processes=timed(pids))
        write_record(self._layout, record)
        self._was_ready |= self._supervisor.ready
        if self._was_ready:
            write_private(self._layout.stack, self._description(pids))

    def _description(self, pids: dict[str, int]) -> dict[str, object]:
        return {
            "url": self.url,
            "key": self._credentials.api_key,
            "postgres": data_source(self._credentials, self._ports["postgres"]),
            "redis": redis_url(self._credentials, self._ports["valkey"]),
            "s3": s3_access(self._credentials, self._ports),
            "processes": pids,
        }


def supervise(layout: Layout, *, port: int | None, servers_only: bool) -> None:
    """Run the stack of this home until SIGTERM or SIGINT. Raises StackError."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    clear_leftovers(layout)
    write_record(layout, Record(phase="starting", processes=timed({SUPERVISOR: os.getpid()})))
    try:
        credentials = open_credentials(layout)
        ports = choose_ports(layout, api_port=port)
        Stack(layout, credentials, ports, servers_only=servers_only).run(stopping)
    except StackError as error:
        us = timed({SUPERVISOR: os.getpid()})
        write_record(layout, Record(phase="failed", detail=str(error), processes=us))
        raise
    layout.run.unlink(missing_ok=True)


def main() -> int:
    """Be the supervisor; exit code 0 after a stop, 1 after a failure."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local.supervise")
    parser.add_argument("home", type=Path)
    parser.add_argument("--port", type=int)
    parser.add_argument("--servers-only", action="store_true")
    options = parser.parse_args()
    layout = open_layout(options.home)
    try:
        with hold(layout):
            supervise(layout, port=options.port, servers_only=options.servers_only)
    except StackError as error:
        sys.stderr.write(f"{time.strftime('%FT%TZ', time.gmtime())} {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
