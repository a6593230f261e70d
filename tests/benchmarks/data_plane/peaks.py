"""The most of some measures while other work goes on."""

import threading
from collections.abc import Callable
from typing import Self

EVERY_SECONDS = 0.1


class Peaks:
    """Looks at ``measure`` in a thread of its own; ``idle`` is what it was before."""

    def __init__(self, measure: Callable[[], dict[str, int]]) -> None:
        self._measure = measure
        self.idle = measure()
        self._most = dict(self.idle)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def above_idle(self, name: str) -> int:
        """The most of one measure so far, above what it was idle."""
        return self._most[name] - self.idle[name]

    def begin_anew(self) -> None:
        """Forget what was the most; ``idle`` stays."""
        self._most = self._measure()

    def _watch(self) -> None:
        while not self._ended.wait(EVERY_SECONDS):
            for name, found in self._measure().items():
                self._most[name] = max(self._most[name], found)
