"""Reading the next while the last is worked on."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import TypeVar

Item = TypeVar("Item")
Read = TypeVar("Read")


def read_ahead(items: Iterable[Item], read: Callable[[Item], Read]) -> Iterator[tuple[Item, Read]]:
    """Each item with what ``read`` answers, in order; a thread reads one ahead.

    Raises what ``read`` raises, at the item's turn. A single item is read without a thread.
    """
    rest = iter(items)
    item = next(rest, None)
    following = next(rest, None)
    if item is None:
        return
    if following is None:
        yield item, read(item)
        return
    with ThreadPoolExecutor(1, "read-ahead") as pool:
        done = pool.submit(read, item)
        for each in chain([following], rest):
            result = done.result()
            done = pool.submit(read, each)
            yield item, result
            item = each
        yield item, done.result()
