"""The table of transitions, and what is not in it."""

from itertools import product

import pytest

from shared.errors import Conflict
from shared.jobs.states import TRANSITIONS, Event, State, after, before

FORBIDDEN = [pair for pair in product(State, Event) if pair not in TRANSITIONS]


@pytest.mark.parametrize(("state", "event"), FORBIDDEN)
def test_what_is_not_in_the_table_is_a_conflict(state: State, event: Event) -> None:
    with pytest.raises(Conflict, match=state.value):
        after(state, event)


@pytest.mark.parametrize(("state", "event"), list(TRANSITIONS))
def test_what_is_in_the_table_leads_where_it_says(state: State, event: Event) -> None:
    assert after(state, event) is TRANSITIONS[state, event]


def test_success_is_the_end() -> None:
    assert not [event for state, event in TRANSITIONS if state is State.SUCCEEDED]


def test_only_retry_leaves_an_ended_state() -> None:
    leaving = {event for state, event in TRANSITIONS if state in (State.FAILED, State.CANCELLED)}
    assert leaving == {Event.RETRY}


def test_before_names_the_states_of_an_event() -> None:
    assert before(Event.CLAIM) == ["queued"]
    assert sorted(before(Event.CANCEL)) == ["queued", "running"]
