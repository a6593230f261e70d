"""When a delivery is tried again."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.webhooks.schedule import JITTER, PAUSES, pause_after


def test_the_schedule_is_the_one_that_the_standard_suggests() -> None:
    seconds = [pause.total_seconds() for pause in PAUSES]
    hour = 3600
    assert seconds == [5, 300, 1800, 2 * hour, 5 * hour, *(hour * n for n in (10, 14, 20, 24))]


@given(st.integers(1, len(PAUSES)))
def test_a_pause_is_a_little_longer_than_its_step(tries: int) -> None:
    pause = pause_after(tries)
    assert pause is not None
    assert PAUSES[tries - 1] <= pause <= PAUSES[tries - 1] * (1 + JITTER)


def test_what_failed_together_does_not_come_back_together() -> None:
    assert len({pause_after(3) for _ in range(20)}) > 10


def test_the_schedule_ends() -> None:
    assert pause_after(len(PAUSES)) is not None
    assert pause_after(len(PAUSES) + 1) is None
    assert pause_after(len(PAUSES) + 1, retry_after=timedelta(seconds=1)) is None


def test_a_receiver_may_ask_for_a_longer_pause_within_reason() -> None:
    asked = pause_after(1, retry_after=timedelta(minutes=10))
    assert asked is not None
    assert asked >= timedelta(minutes=10)
    sooner = pause_after(2, retry_after=timedelta(seconds=1))
    assert sooner is not None
    assert sooner >= PAUSES[1]
    endless = pause_after(1, retry_after=timedelta(days=10_000))
    assert endless is not None
    assert endless <= PAUSES[-1] * (1 + JITTER)
