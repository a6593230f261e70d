"""Calls that wait together are answered together, each with its own answer."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar

import pytest

from shared.web.batched import MOST, Batched

UNLUCKY = 1_000_003
NAMED: ContextVar[str] = ContextVar("named", default="nobody")


class Squares:
    """Squares numbers; one that is negative is an error, and a gate may hold the work up."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.begun = threading.Event()
        self.open = threading.Event()
        self.open.set()
        self.named: list[str] = []

    def __call__(self, numbers: Sequence[int]) -> list[int | Exception]:
        self.batches.append(list(numbers))
        self.named.append(NAMED.get())
        self.begun.set()
        assert self.open.wait(10)
        if UNLUCKY in numbers:
            raise OSError("the line is down")
        return [n * n if n >= 0 else ValueError(n) for n in numbers]


def run(squares: Squares, act: Callable[[Batched[int, int]], Awaitable[None]]) -> None:
    batched = Batched[int, int](squares, name="squares")

    async def main() -> None:
        async with asyncio.timeout(20):
            await act(batched)

    try:
        asyncio.run(main())
    finally:
        squares.open.set()
        batched.close()


async def held_up(squares: Squares, batched: Batched[int, int]) -> "asyncio.Task[int]":
    """A call that is being answered, until the gate opens."""
    squares.open.clear()
    first = asyncio.create_task(batched(2))
    await asyncio.to_thread(squares.begun.wait, 10)
    return first


def test_calls_that_arrive_together_go_together_and_in_order() -> None:
    squares = Squares()

    async def act(batched: Batched[int, int]) -> None:
        assert await asyncio.gather(*map(batched, range(5))) == [0, 1, 4, 9, 16]

    run(squares, act)
    assert squares.batches == [[0, 1, 2, 3, 4]]


def test_whoever_comes_during_a_batch_joins_the_next_one() -> None:
    squares = Squares()

    async def act(batched: Batched[int, int]) -> None:
        first = await held_up(squares, batched)
        more = [asyncio.create_task(batched(n)) for n in range(MOST + 1)]
        await asyncio.sleep(0)
        squares.open.set()
        assert await first == 4
        assert await asyncio.gather(*more) == [n * n for n in range(MOST + 1)]

    run(squares, act)
    assert [len(batch) for batch in squares.batches] == [1, MOST, 1]


def test_an_error_reaches_its_own_caller_alone() -> None:
    async def act(batched: Batched[int, int]) -> None:
        one, bad, two = await asyncio.gather(
            batched(1), batched(-3), batched(2), return_exceptions=True
        )
        assert (one, two) == (1, 4)
        assert isinstance(bad, ValueError)

    run(Squares(), act)


def test_a_batch_that_fails_fails_for_all_and_the_next_one_does_not() -> None:
    async def act(batched: Batched[int, int]) -> None:
        failed = await asyncio.gather(batched(1), batched(UNLUCKY), return_exceptions=True)
        assert [type(each) for each in failed] == [OSError, OSError]
        assert await batched(3) == 9

    run(Squares(), act)


def test_who_leaves_does_not_disturb_the_others() -> None:
    squares = Squares()

    async def act(batched: Batched[int, int]) -> None:
        first = await held_up(squares, batched)
        second = asyncio.create_task(batched(3))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        squares.open.set()
        assert await second == 9
        with pytest.raises(asyncio.CancelledError):
            await first

    run(squares, act)


def test_the_work_is_part_of_its_first_call() -> None:
    squares = Squares()

    async def act(batched: Batched[int, int]) -> None:
        NAMED.set("a request")
        assert await batched(1) == 1

    run(squares, act)
    assert squares.named == ["a request"]
