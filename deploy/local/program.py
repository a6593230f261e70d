"""What the supervisor needs to know of a process: data, and a few questions to ask."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.account import Account


def nothing_to_do() -> None:
    """The default of `Program.before`."""


def always_ready() -> bool:
    """The default of `Program.ready`: a process that is alive is ready."""
    return True


@dataclass(frozen=True, slots=True)
class Program:
    """One process of the stack.

    `after`: names of the programs that must have been ready before its first start. `once`: it
    runs to its end, which is its readiness, and not again. `before` runs in the supervisor
    before every start. `ready` is asked several times a second until it says yes; it must answer
    within a second or so.
    `death_signal` is what the kernel sends when the supervisor is killed.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    folder: Path
    log: Path
    after: tuple[str, ...] = ()
    account: Account | None = None
    once: bool = False
    before: Callable[[], None] = nothing_to_do
    ready: Callable[[], bool] = always_ready
    ready_seconds: float = 60.0
    start_attempts: int = 1
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 5.0
    death_signal: signal.Signals = signal.SIGKILL
    umask: int = -1


def base_environment(inherited: Mapping[str, str], home: Path) -> dict[str, str]:
    """What a server process gets of our environment: nothing that could change what it does."""
    kept = {name: inherited[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in inherited}
    return kept | {"HOME": str(home), "LC_ALL": "C", "TZ": "UTC"}
