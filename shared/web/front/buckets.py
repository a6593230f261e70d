"""Token buckets: so many requests a second, and so many at once after a pause."""

import time
from collections.abc import Callable, Hashable

#: More than anyone has clients; the longest unused is forgotten, and would be full by then.
MOST = 20_000


class Buckets:
    """One bucket for each name, all alike. Not for use by several threads at once."""

    def __init__(
        self,
        per_second: float,
        burst: float,
        *,
        now: Callable[[], float] = time.monotonic,
        most: int = MOST,
    ) -> None:
        self._per_second = per_second
        self._burst = burst
        self._now = now
        self._most = most
        #: Tokens, and when there were as many; the longest unused first.
        self._levels: dict[Hashable, tuple[float, float]] = {}

    def take(self, name: Hashable) -> float:
        """Take a token: 0.0, or the seconds until there will be one."""
        level = self._level(name)
        if level < 1.0:
            return (1.0 - level) / self._per_second
        self._levels.pop(name, None)
        self._levels[name] = (level - 1.0, self._now())
        if len(self._levels) > self._most:
            del self._levels[next(iter(self._levels))]
        return 0.0

    def seconds_until_one(self, name: Hashable) -> float:
        """As :meth:`take`, but nothing is taken."""
        return max(0.0, 1.0 - self._level(name)) / self._per_second

    def _level(self, name: Hashable) -> float:
        known = self._levels.get(name)
        if known is None:
            return self._burst
        level, at = known
        return min(self._burst, level + (self._now() - at) * self._per_second)
