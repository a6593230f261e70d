"""What was read last, up to so many bytes."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Kept(Generic[Key, Value]):
    """Values by key, those used last; threads may share it.

    A value of more than ``max_bytes`` is kept alone: it is asked for again and again while the job
    that needs it runs.
    """

    def __init__(self, max_bytes: int, *, size: Callable[[Value], int]) -> None:
        self._max_bytes = max_bytes
        self._size = size
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key, read: Callable[[], Value]) -> Value:
        """The value, which ``read`` gives where it is not kept."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = read()
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            while len(self._values) > 1 and self._bytes() > self._max_bytes:
                self._values.popitem(last=False)
        return value

    def clear(self) -> None:
        """Keep nothing of what was read so far."""
        with self._lock:
            self._values.clear()

    def _bytes(self) -> int:
        return sum(map(self._size, self._values.values()))
