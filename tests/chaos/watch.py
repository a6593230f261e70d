"""Watches the ledger: progress for the person who looks on, and how long each blow cost."""

import threading
import time
from collections import Counter
from typing import Any

from tests.chaos.kills import Blow, Killer, Say
from tests.chaos.ledger import Ledger
from tests.chaos.plan import FLUSH

LOOK_SECONDS = 0.2
SAY_SECONDS = 10.0

Seen = dict[str, tuple[Any, ...]]


class Watch:
    """A thread that looks several times a second."""

    def __init__(self, ledger: Ledger, killer: Killer, say: Say) -> None:
        self._ledger = ledger
        self._killer = killer
        self._say = say
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watch")
        self._before: dict[int, Seen] = {}

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()
        self._thread.join()

    def _watch(self) -> None:
        said_at = 0.0
        while not self._stopped.wait(LOOK_SECONDS):
            blows = list(self._killer.blows)  # as the look begins: it shows them what they left
            seen = self._ledger.progress()
            if seen is None:
                continue
            for blow in blows:
                before = self._before.setdefault(id(blow), seen)
                if blow.recovered_at is None and _goes_on(blow, before, seen):
                    blow.recovered_at = time.monotonic()
            if time.monotonic() - said_at > SAY_SECONDS:
                said_at = time.monotonic()
                counts = Counter(str(state[0]) for state in seen.values())
                self._say(", ".join(f"{n} {status}" for status, n in sorted(counts.items())))


def _goes_on(blow: Blow, before: Seen, now: Seen) -> bool:
    """Whether what was hit works again: for a worker its own job, for a server any."""
    if blow.kill.target == FLUSH or not blow.victims:
        return before != now
    worker = blow.kill.target.startswith(("worker-", "pause "))
    moved = [now.get(each.job_id) != before.get(each.job_id) for each in blow.victims]
    return all(moved) if worker else before != now
