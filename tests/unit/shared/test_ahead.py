"""One item is read ahead, and nothing else changes."""

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.datasets.ahead import read_ahead


@given(st.lists(st.integers(), max_size=6))
def test_everything_comes_in_order(items: list[int]) -> None:
    assert list(read_ahead(items, str)) == [(item, str(item)) for item in items]


def test_the_next_is_read_while_the_last_is_worked_on() -> None:
    begun = {number: threading.Event() for number in range(3)}

    def read(number: int) -> int:
        begun[number].set()
        return number

    results = read_ahead(range(3), read)
    assert next(results) == (0, 0)
    assert begun[1].wait(5)
    assert not begun[2].is_set(), "one ahead, no more: memory stays flat"


def test_a_failure_comes_at_its_turn() -> None:
    def read(number: int) -> int:
        return 1 // (number - 1)

    results = read_ahead(range(3), read)
    assert next(results) == (0, -1)
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_whoever_leaves_early_leaves_no_thread() -> None:
    results: Iterator[tuple[int, str]] = read_ahead(range(9), str)
    next(results)
    results.close()  # type: ignore[attr-defined]  # a generator
    assert not [t for t in threading.enumerate() if t.name.startswith("read-ahead")]
