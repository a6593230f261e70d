"""Small programs for the supervisor: shell lines instead of servers."""

from pathlib import Path
from typing import Any

from deploy.local.program import Program

FOREVER = "while :; do sleep 0.05; done"


def shell(folder: Path, name: str, line: str, **rest: Any) -> Program:
    """A program that runs `line` in /bin/sh."""
    return Program(
        name=name,
        command=("/bin/sh", "-c", line),
        environment={"PATH": "/usr/bin:/bin"},
        folder=folder,
        log=folder / f"{name}.log",
        **rest,
    )
