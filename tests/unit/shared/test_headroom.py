"""Room that was seen is used up, for a moment, and for the limit below which it was seen."""

import pytest

from shared.jobs.headroom import SECONDS, Headroom, spare_of


class Clock:
    """A time that stands still."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_nothing_was_seen_at_first() -> None:
    assert not Headroom().take(1, 100)


def test_what_was_seen_is_given_out_once() -> None:
    room = Headroom(now=Clock())
    room.seen(5, 100)
    assert [room.take(jobs, 100) for jobs in (3, 3, 2, 1)] == [True, False, True, False]


def test_it_is_forgotten_after_a_moment() -> None:
    clock = Clock()
    room = Headroom(now=clock)
    room.seen(5, 100)
    clock.seconds += 0.9 * SECONDS
    assert room.take(1, 100)
    clock.seconds += 0.1 * SECONDS
    assert not room.take(1, 100)


def test_it_says_nothing_of_another_limit() -> None:
    room = Headroom(now=Clock())
    room.seen(5, 100)
    assert not room.take(1, 50)


@pytest.mark.parametrize(("limit", "jobs", "spare"), [(1000, 16, 100), (100, 90, 10), (9, 1, 0)])
def test_a_part_of_the_limit_is_looked_for(limit: int, jobs: int, spare: int) -> None:
    assert spare_of(limit, jobs) == spare


def test_nothing_is_looked_for_where_the_jobs_leave_too_little() -> None:
    assert spare_of(100, 91) == 0
