"""A file that is touched while a process is well, for the health check of its container."""

import threading
from pathlib import Path

BEAT_SECONDS = 5.0


class Pulse:
    """Touches ``path``; does nothing without one."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def start(self) -> None:
        """Beat from now on, in a thread: a worker's own is busy with its job for hours.

        Whether the job moves is not told here but by the ledger.
        """
        if self._path is not None:
            self.beat()
            threading.Thread(target=self._beat_for_ever, name="pulse", daemon=True).start()

    def beat(self) -> None:
        """Touch the file once."""
        if self._path is not None:
            self._path.touch()

    def _beat_for_ever(self) -> None:
        pause = threading.Event()
        while not pause.wait(BEAT_SECONDS):
            self.beat()
