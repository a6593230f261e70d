"""What the system has to do for blocks that are asked for again."""

import resource

import psutil

from shared.compute.memory import freed_memory_kept

#: Above what glibc maps one by one.
_BLOCK_BYTES = 48 << 20


def _faults(times: int) -> int:
    """Pages that the system had to provide while such a block was filled ``times``.

    No array: NumPy asks for huge pages, which are few, or none, as it happens.
    """
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(times):
        b"1" * _BLOCK_BYTES
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def _resident_bytes() -> int:
    return int(psutil.Process().memory_info().rss)


def test_a_block_that_was_freed_is_used_again() -> None:
    outside = _faults(4)
    with freed_memory_kept():
        _faults(1)
        assert _faults(4) < outside / 4


def test_all_is_given_back_at_the_end() -> None:
    before = _resident_bytes()
    with freed_memory_kept():
        _faults(1)
        assert _resident_bytes() > before + _BLOCK_BYTES / 2
    assert _resident_bytes() < before + _BLOCK_BYTES / 2
    assert _faults(4) > 4
