"""The states of a job, and every transition there is, as one table.

``docs/jobs.md`` draws this table.
"""

from enum import StrEnum

from shared.errors import Conflict


class State(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Event(StrEnum):
    CLAIM = "claim"
    SUCCEED = "succeed"
    FAIL = "fail"
    HAND_BACK = "hand_back"
    EXPIRE = "expire"
    GIVE_UP = "give_up"
    CANCEL = "cancel"
    RETRY = "retry"


TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.QUEUED, Event.CLAIM): State.RUNNING,
    (State.QUEUED, Event.CANCEL): State.CANCELLED,
    # A parent failed: its dependents can never run.
    (State.QUEUED, Event.FAIL): State.FAILED,
    (State.RUNNING, Event.SUCCEED): State.SUCCEEDED,
    (State.RUNNING, Event.FAIL): State.FAILED,
    (State.RUNNING, Event.CANCEL): State.CANCELLED,
    # The worker is told to stop: it has checkpointed, another goes on.
    (State.RUNNING, Event.HAND_BACK): State.QUEUED,
    # The worker went silent for a lease.
    (State.RUNNING, Event.EXPIRE): State.QUEUED,
    # Too many workers died on it without a new checkpoint or shard.
    (State.RUNNING, Event.GIVE_UP): State.FAILED,
    (State.FAILED, Event.RETRY): State.QUEUED,
    (State.CANCELLED, Event.RETRY): State.QUEUED,
}


def after(state: State, event: Event) -> State:
    """The state that follows; raises :class:`Conflict` where the table has no such transition."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise Conflict(f"a job that is {state} cannot {event.replace('_', ' ')}") from None


def before(event: Event) -> list[str]:
    """The states in which ``event`` may happen."""
    return [state.value for state, known in TRANSITIONS if known is event]
