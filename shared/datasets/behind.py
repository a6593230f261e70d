"""Storing the last while the next is made."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context


class Behind:
    """Runs calls on a thread, one at a time, in order; what one raises is raised at the next one,
    or at :meth:`settle`. No thread is started before the first call.
    """

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(1, name)
        self._running: Future[None] | None = None

    def run(self, work: Callable[[], None]) -> None:
        """Begin ``work`` when the one before has ended."""
        self.settle()
        self._running = self._pool.submit(copy_context().run, work)

    def settle(self) -> None:
        """Wait until nothing runs; raises what the last one raised, once."""
        running, self._running = self._running, None
        if running is not None:
            running.result()

    def close(self) -> None:
        """Wait for the last one, and end the thread. What it raised was asked for, or is lost."""
        self._pool.shutdown()
