"""Clearing away what a supervisor left behind that was killed."""

from __future__ import annotations

from deploy.local.files import read_object
from deploy.local.layout import Layout
from deploy.local.ports import remove_sockets
from deploy.local.processes import kill_trees
from deploy.local.record import read_record


def clear_leftovers(layout: Layout) -> None:
    """End the recorded processes that live, and remove what says that the stack runs.

    Call it while holding the lock of the home folder, so that they are nobody's.
    """
    record = read_record(layout)
    if record is not None:
        kill_trees(record.living())
    ports = read_object(layout.ports)
    if ports is not None:
        remove_sockets(ports)
    layout.stack.unlink(missing_ok=True)
    layout.run.unlink(missing_ok=True)
