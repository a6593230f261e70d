"""What was read last is kept, up to so many bytes."""

import threading

from shared.datasets.kept import Kept


class Reader:
    """Counts how often each key is read; the value is as many bytes as the key says."""

    def __init__(self, max_bytes: int) -> None:
        self.reads: list[int] = []
        self._kept: Kept[int, bytes] = Kept(max_bytes, size=len)

    def get(self, size: int) -> bytes:
        def read() -> bytes:
            self.reads.append(size)
            return bytes(size)

        return self._kept.get(size, read)

    def forget(self) -> None:
        self._kept.clear()


def test_what_fits_is_read_once() -> None:
    reader = Reader(10)
    assert [len(reader.get(size)) for size in (4, 6, 4, 6)] == [4, 6, 4, 6]
    assert reader.reads == [4, 6]


def test_what_was_used_least_goes_first() -> None:
    reader = Reader(10)
    for size in (4, 5, 4, 3, 4, 5):
        reader.get(size)
    assert reader.reads == [4, 5, 3, 5]


def test_a_large_value_is_kept_alone() -> None:
    reader = Reader(10)
    for size in (4, 20, 20, 4):
        reader.get(size)
    assert reader.reads == [4, 20, 4]


def test_what_is_forgotten_is_read_again() -> None:
    reader = Reader(10)
    reader.get(4)
    reader.forget()
    reader.get(4)
    assert reader.reads == [4, 4]


def test_reading_one_value_holds_up_no_other() -> None:
    kept: Kept[str, bytes] = Kept(10, size=len)

    def slow() -> bytes:
        other = threading.Thread(target=lambda: kept.get("other", lambda: b"2"))
        other.start()
        other.join(timeout=10)
        assert not other.is_alive()
        return b"1"

    assert kept.get("slow", slow) == b"1"
