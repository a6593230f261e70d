"""What the system has to do for blocks that are asked for again."""

import multiprocessing
import resource
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

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


def _alone(measure: Callable[[], tuple[int, ...]]) -> tuple[int, ...]:
    """What is measured in a process of its own: a test run has freed blocks of any size."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(measure).result()


def _faults_outside_and_inside() -> tuple[int, ...]:
    outside = _faults(4)
    with freed_memory_kept():
        _faults(1)
        return outside, _faults(4)


def _resident_bytes_and_faults_after() -> tuple[int, ...]:
    before = _resident_bytes()
    with freed_memory_kept():
        _faults(1)
        meanwhile = _resident_bytes()
    return before, meanwhile, _resident_bytes(), _faults(4)


def test_a_block_that_was_freed_is_used_again() -> None:
    outside, inside = _alone(_faults_outside_and_inside)
    assert inside < outside / 4


def test_all_is_given_back_at_the_end() -> None:
    before, meanwhile, after, faults = _alone(_resident_bytes_and_faults_after)
    assert meanwhile > before + _BLOCK_BYTES / 2
    assert after < before + _BLOCK_BYTES / 2
    assert faults > 4
