"""Collecting garbage seldom: under load it took a tenth of an API process's time.

What a process made while it started (routes, schemas, mapped classes) lives as long as it does:
hundreds of thousands of objects, at which Python's collector looks again and again.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

#: New objects after which the young ones are looked at; Python's own number is 700. A request makes
#: some hundred that the collector knows of, and nearly all go without it.
YOUNG = 20_000


@contextmanager
def collecting_seldom() -> Iterator[None]:
    """Leave what is there alone, and look at the rest less often, until the context ends."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
