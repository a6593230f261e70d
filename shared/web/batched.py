"""Calls that come at the same time are answered together, by one thread.

Under load it is not work that a process has too little time for, but trips: to the database, to
Redis, to another thread and back. Whoever comes while a batch is under way joins the next one, so
batches grow with the load and a lone call waits for nobody.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")

#: Calls that are answered at once: what waits behind a batch waits for all of it.
MOST = 64


@dataclass(frozen=True)
class _Call(Generic[Item, Answer]):
    item: Item
    answer: "asyncio.Future[Answer]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    context: Context = field(default_factory=copy_context)


class Batched(Generic[Item, Answer]):
    """An async function made of one that takes many items, and runs in a thread of its own.

    ``work`` returns an answer for each item, in order; one that is an error is raised to its own
    caller, one that ``work`` raises to all of them. What is traced is part of the first call.
    """

    def __init__(
        self, work: Callable[[Sequence[Item]], Sequence[Answer | Exception]], *, name: str
    ) -> None:
        self._work = work
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._waiting: list[_Call[Item, Answer]] = []
        self._busy = False

    async def __call__(self, item: Item) -> Answer:
        """The item's answer."""
        call = _Call[Item, Answer](item)
        self._waiting.append(call)
        if not self._busy:
            self._busy = True
            # Not now: what arrived together goes together.
            asyncio.get_running_loop().call_soon(self._begin)
        return await call.answer

    def close(self) -> None:
        """End the thread, once it has answered."""
        self._thread.shutdown()

    def _begin(self) -> None:
        batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        self._thread.submit(batch[0].context.run, self._answer, batch)

    def _answer(self, batch: Sequence[_Call[Item, Answer]]) -> None:
        answers: Sequence[Answer | Exception]
        try:
            answers = self._work([call.item for call in batch])
        except Exception as error:  # noqa: BLE001 - the callers get it
            answers = [error] * len(batch)
        batch[0].answer.get_loop().call_soon_threadsafe(self._end, batch, answers)

    def _end(
        self, batch: Sequence[_Call[Item, Answer]], answers: Sequence[Answer | Exception]
    ) -> None:
        self._busy = bool(self._waiting)
        if self._busy:
            self._begin()
        for call, answer in zip(batch, answers, strict=True):
            if call.answer.cancelled():
                continue  # its client has left
            if isinstance(answer, Exception):
                call.answer.set_exception(answer)
            else:
                call.answer.set_result(answer)
