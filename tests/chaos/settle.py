"""After the last blow: every client is answered and every job ends, within a deadline."""

import time
from collections import Counter
from collections.abc import Callable

from tests.chaos.asking import Asking
from tests.chaos.client import Client
from tests.chaos.ledger import Ledger

PAUSE_SECONDS = 0.5
#: Since when nothing is unfinished: long enough for a client to have been told, and to ask again.
QUIET_LOOKS = 3


class NotSettled(AssertionError):
    """Something is unfinished after the deadline."""


def settle(
    client: Client,
    ledger: Ledger,
    asking: Asking,
    *,
    keep: Callable[[], None],
    seconds: float,
) -> Counter[str]:
    """Wait until nothing is unfinished; what was given up is tried again, as a person would.

    Returns how often, by kind. Raises :class:`NotSettled`.
    """
    retried: Counter[str] = Counter()
    deadline = time.monotonic() + seconds
    quiet = 0
    while quiet < QUIET_LOOKS:
        _pause(keep)
        asking.raise_failures()
        unfinished = ledger.unfinished()
        again = ledger.given_up() or []
        for job_id, kind in again:
            answer = client.ask("POST", f"/jobs/{job_id}/retry")
            assert answer.status_code in (200, 409), answer.text
            retried[kind] += answer.status_code == 200
        if again:
            _cancel_again(asking, {job_id for job_id, _ in again})
        quiet = quiet + 1 if unfinished == [] and not again and not asking.waiting else 0
        if time.monotonic() > deadline:
            raise NotSettled(
                f"after {seconds:.0f} s these are unfinished: {unfinished}; "
                f"{asking.waiting} clients wait, {len(again)} were given up just now"
            )
    return retried


def _pause(keep: Callable[[], None]) -> None:
    end = time.monotonic() + PAUSE_SECONDS
    while time.monotonic() < end:
        keep()
        time.sleep(0.05)


def _cancel_again(asking: Asking, job_ids: set[str]) -> None:
    """One that was given up before its client cancelled it."""
    for known in asking.answered.values():
        if known.ask.expected == "cancelled" and known.job_ids & job_ids:
            asking.cancel(known.ask)
