"""Memory that a training asks for again and again, kept between its steps."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

#: Parameters of glibc's mallopt(3).
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_KEPT_BYTES = 1 << 30
#: What glibc itself goes up to by and by: it maps larger blocks one by one.
_USUAL_MMAP_BYTES = 32 << 20


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """Blocks of up to 1 GiB that are freed in here are used again, and given back at the end.

    A step's activations are such blocks, of the same sizes each time. As a rule the C library gives
    those of more than 32 MiB back to the system, which clears each of their pages anew: a sixth of
    a classifier's step on 64 images of 64 px. Does nothing where the C library is not glibc.
    """
    library = ctypes.CDLL(None)
    if not hasattr(library, "malloc_trim"):
        yield
        return
    library.mallopt(_MMAP_THRESHOLD, _KEPT_BYTES)
    library.mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)
    try:
        yield
    finally:
        library.mallopt(_MMAP_THRESHOLD, _USUAL_MMAP_BYTES)
        library.mallopt(_TRIM_THRESHOLD, 2 * _USUAL_MMAP_BYTES)
        library.malloc_trim(0)
