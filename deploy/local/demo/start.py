"""The stack that the demo runs on."""

from pathlib import Path

from deploy.local import stack
from lesiongan.client.server import Server


def start_stack(home: Path | None) -> Server:
    """The embedded stack, started if it does not run; it stays up afterwards.

    Raises :class:`deploy.local.failures.StackError`.
    """
    description = stack.up(home)
    return Server(description["url"], description["key"])
