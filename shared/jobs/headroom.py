"""Room in the queues that was seen a moment ago: it need not be counted at each submit.

Counting costs the database as much as there are queued jobs. What one process submits stays within
what it saw; all of them together may pass the limit, by no more than each of the others saw spare.
"""

import time
from collections.abc import Callable

#: Room for this part of all jobs that may be queued is looked for, and then used up unasked.
PART = 10
#: For so long; then others may have taken it.
SECONDS = 1.0


class Headroom:
    """What one thread may still submit before the queues are counted again."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._limit = 0
        self._jobs = 0
        self._until = 0.0

    def take(self, jobs: int, limit: int) -> bool:
        """Whether there is room for so many more below ``limit``; it is theirs then."""
        if limit != self._limit or jobs > self._jobs or self._now() >= self._until:
            return False
        self._jobs -= jobs
        return True

    def seen(self, jobs: int, limit: int) -> None:
        """So many more may be queued below ``limit``."""
        self._limit, self._jobs, self._until = limit, jobs, self._now() + SECONDS


def spare_of(limit: int, jobs: int) -> int:
    """How much room to look for besides that of ``jobs``; 0 where there cannot be so much."""
    spare = limit // PART
    return spare if spare + jobs <= limit else 0
