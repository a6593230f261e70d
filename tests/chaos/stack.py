"""A whole embedded stack as our child, with one more worker that takes over for any other."""

import os
import shutil
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from deploy.local.files import read_object
from deploy.local.layout import Layout, open_layout
from deploy.local.ports import choose_ports
from deploy.local.processes import is_alive
from deploy.local.program import Program
from deploy.local.programs import WORKER_QUEUES
from deploy.local.record import SUPERVISOR, read_record
from deploy.local.servers import child_environment, erase, open_credentials
from deploy.local.stack import down, status
from deploy.local.supervisor import Supervisor
from shared.settings import Settings

#: A worker that is silent so long is presumed dead; the shipped default is 30.
LEASE_SECONDS = 3.0
KNOBS = {
    "LESIONGAN_LEASE_SECONDS": str(LEASE_SECONDS),
    "LESIONGAN_CLASSIFICATION_CHECKPOINT_SECONDS": "0.5",
    # Many workers share few cores.
    "LESIONGAN_CLASSIFICATION_THREADS": "1",
    "LESIONGAN_GAN_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}
SECOND = "worker-second"
START_SECONDS = 180.0


@dataclass(frozen=True)
class ChaosStack:
    """A stack that runs.

    ``keep`` must be called again and again by the thread that made it: it starts again what is not
    the stack's own supervisor's to start.
    """

    layout: Layout
    description: dict[str, Any]
    settings: Settings
    keeper: Supervisor = field(repr=False)

    def keep(self) -> None:
        """Start the supervisor, or the second worker, if it has ended."""
        self.keeper.step()

    @property
    def ready(self) -> bool:
        """Whether all of it runs, as far as the supervisors know."""
        return self.keeper.ready and status(self.layout.home).phase == "ready"

    def process(self, name: str) -> psutil.Process | None:
        """The living process called ``name``."""
        if name in (SECOND, SUPERVISOR):
            pid = self.keeper.pids.get(name)
            found = None if pid is None else psutil.Process(pid)
        else:
            record = read_record(self.layout)
            found = None if record is None else record.process(name)
        return found if found is not None and is_alive(found) else None


@contextmanager
def running(home: Path, *, second: bool = True, logs: Path | None = None) -> Iterator[ChaosStack]:
    """Started on free ports, and ended with its data erased, whatever happens.

    Without ``second`` there is no further worker. What the processes logged is copied to ``logs``.
    """
    layout = open_layout(home)
    environment = child_environment(open_credentials(layout), choose_ports(layout, api_port=0))
    programs = _programs(layout, environment)
    keeper = Supervisor(programs if second else programs[:1], lambda: None)
    try:
        keeper.run_until_ready()
        description = read_object(layout.stack)
        assert description is not None, "a stack that is ready describes itself"
        yield ChaosStack(layout, description, _settings(environment), keeper)
    finally:
        keeper.stop()
        down(home)
        if logs is not None:
            shutil.copytree(layout.logs, logs, dirs_exist_ok=True)
        erase(home)


def _programs(layout: Layout, environment: Mapping[str, str]) -> list[Program]:
    shared = {**os.environ, **KNOBS}
    supervisor = Program(
        name=SUPERVISOR,
        command=(
            *(sys.executable, "-m", "deploy.local.supervise"),
            *(str(layout.home), "--port", "0"),
        ),
        environment=shared,
        folder=Path.cwd(),
        log=layout.log(SUPERVISOR),
        ready=lambda: status(layout.home).phase == "ready",
        ready_seconds=START_SECONDS,
        start_attempts=2,
        stop_seconds=60.0,
        death_signal=signal.SIGTERM,
    )
    queues = ",".join(WORKER_QUEUES.values())
    second = Program(
        name=SECOND,
        command=(
            *(sys.executable, "-m", "services.worker"),
            *("--queues", queues, "--name", SECOND),
        ),
        environment={**shared, **environment},
        folder=layout.home,
        log=layout.log(SECOND),
        after=(SUPERVISOR,),
    )
    return [supervisor, second]


def _settings(environment: Mapping[str, str]) -> Settings:
    prefix = "LESIONGAN_"
    given = {name.removeprefix(prefix).lower(): value for name, value in environment.items()}
    return Settings.model_validate(given)
