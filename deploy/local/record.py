"""What a supervisor writes down of itself, for `up`, `down`, `status` and its successor."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Literal, cast

import psutil

from deploy.local.files import read_object, write_private
from deploy.local.layout import Layout
from deploy.local.processes import create_time, find

Phase = Literal["starting", "ready", "stopping", "failed"]
SUPERVISOR = "supervisor"


@dataclass(frozen=True, slots=True)
class Record:
    """The phase of the stack, and its processes: name → (pid, create time in s since 1970)."""

    phase: Phase
    url: str = ""
    detail: str = ""
    processes: dict[str, tuple[int, float]] = field(default_factory=dict)

    @property
    def supervisor(self) -> psutil.Process | None:
        """The living supervisor that wrote this."""
        return self.process(SUPERVISOR)

    @property
    def pids(self) -> dict[str, int]:
        return {name: pid for name, (pid, _) in self.processes.items()}

    def process(self, name: str) -> psutil.Process | None:
        """The process recorded as `name`, if it lives; never a later one with its number."""
        return find(*self.processes[name]) if name in self.processes else None

    def living(self) -> list[psutil.Process]:
        """All recorded processes that live."""
        found = (self.process(name) for name in self.processes)
        return [process for process in found if process is not None]


def timed(pids: dict[str, int]) -> dict[str, tuple[int, float]]:
    """Pids with their create times."""
    return {name: (pid, create_time(pid)) for name, pid in pids.items()}


def write_record(layout: Layout, record: Record) -> None:
    """Replace this home's record."""
    write_private(layout.run, asdict(record))


def read_record(layout: Layout) -> Record | None:
    """This home's record, of whatever age; None if there is none."""
    content = read_object(layout.run)
    if content is None:
        return None
    processes = {name: (int(pid), float(at)) for name, (pid, at) in content["processes"].items()}
    return Record(
        phase=cast("Phase", content["phase"]),
        url=str(content["url"]),
        detail=str(content["detail"]),
        processes=processes,
    )
