"""What requests ask for together: keys, jobs that stand alone, and doorbells."""

import logging
from collections.abc import Sequence
from functools import partial

from shared.db.engine import Sessions
from shared.jobs.submit import Submitted
from shared.jobs.together import Answer, Asked, submit_together
from shared.queue.port import Doorbell, Ring
from shared.web.batched import Batched
from shared.web.key_lookup import KnownKey, find_keys

log = logging.getLogger(__name__)


class Batches:
    """Those of one process; ``glances`` are sessions for one statement each."""

    def __init__(self, sessions: Sessions, glances: Sessions, bell: Doorbell) -> None:
        #: The key of a digest; None: it opens nothing.
        self.key = Batched[str, KnownKey | None](partial(find_keys, glances), name="keys")
        #: A job that stands alone; None: nothing was written, see to it by itself.
        self.submit = Batched[Asked, Submitted | None](partial(_submit, sessions), name="submit")
        self.ring = Batched[Ring, bool](partial(_ring, bell), name="ring")

    def close(self) -> None:
        """End their threads."""
        for each in (self.key, self.submit, self.ring):
            each.close()


def _submit(sessions: Sessions, asked: Sequence[Asked]) -> Sequence[Answer]:
    try:
        with sessions() as session:
            answers = submit_together(session, asked)
            session.commit()
    except Exception as error:  # noqa: BLE001 - it is the error of one, who meets it again
        log.warning("%d submits are tried one by one: %s", len(asked), error)
        return [None] * len(asked)
    return answers


def _ring(bell: Doorbell, rings: Sequence[Ring]) -> Sequence[bool]:
    return [bell.ring_all(rings)] * len(rings)
