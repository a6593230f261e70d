"""What requests ask for together: keys, and jobs that stand alone with their doorbells."""

import logging
from collections.abc import Sequence
from functools import partial

from shared.db.engine import Sessions
from shared.jobs.headroom import Headroom
from shared.jobs.submit import Submitted
from shared.jobs.together import Answer, Asked, submit_together
from shared.observability import tracing
from shared.queue.port import Doorbell, Ring
from shared.web.batched import Batched
from shared.web.key_lookup import KnownKey, find_keys

log = logging.getLogger(__name__)


class Batches:
    """Those of one process; ``glances`` are sessions for one statement each."""

    def __init__(self, sessions: Sessions, glances: Sessions, bell: Doorbell) -> None:
        #: The key of a digest; None: it opens nothing.
        self.key = Batched[str, KnownKey | None](partial(find_keys, glances), name="keys")
        #: A job that stands alone, and is rung for; None: nothing was written, see to it by itself.
        submit = partial(_submit, sessions, bell, Headroom())
        self.submit = Batched[Asked, Submitted | None](submit, name="submit")

    def close(self) -> None:
        """End their threads."""
        for each in (self.key, self.submit):
            each.close()


def _submit(
    sessions: Sessions, bell: Doorbell, headroom: Headroom, asked: Sequence[Asked]
) -> Sequence[Answer]:
    try:
        with sessions() as session:
            answers = submit_together(session, asked, headroom)
            session.commit()
    except Exception as error:  # noqa: BLE001 - it is the error of one, who meets it again
        log.warning("%d submits are tried one by one: %s", len(asked), error)
        return [None] * len(asked)
    ready = [row for each in answers if isinstance(each, Submitted) for row in each.ready]
    if ready:
        with tracing.span("ring"):
            bell.ring_all(Ring(row.queue, row.id) for row in ready)
    return answers
