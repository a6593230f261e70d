"""When a delivery that failed is tried again: the schedule that Standard Webhooks suggests."""

import random
from datetime import timedelta

#: After the first attempt, the second …; together a little more than three days.
PAUSES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
#: A pause is longer by up to this share, so that what failed together does not come back together.
JITTER = 0.1
#: Nothing has arrived for so long: the webhook is disabled.
PATIENCE = timedelta(days=5)


def pause_after(tries: int, *, retry_after: timedelta | None = None) -> timedelta | None:
    """How long to wait after ``tries`` failures, or None after the last.

    A receiver may ask for more (``Retry-After``), but for no more than the longest pause.
    """
    if tries > len(PAUSES):
        return None
    pause = PAUSES[tries - 1]
    if retry_after is not None:
        pause = max(pause, min(retry_after, PAUSES[-1]))
    return pause * (1 + random.uniform(0, JITTER))  # noqa: S311 - to spread load, not to hide
