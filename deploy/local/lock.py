"""One supervisor a home folder."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from deploy.local.failures import StackError
from deploy.local.layout import Layout


@contextmanager
def hold(layout: Layout) -> Iterator[None]:
    """Be the one supervisor of this home. Raises StackError if there is one already.

    The kernel lets go of the lock when the process ends, however it ends; children do not
    inherit it.
    """
    with layout.lock.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StackError(f"another supervisor runs in {layout.home}") from None
        yield
