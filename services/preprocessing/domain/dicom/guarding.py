"""Pydicom at arm's length: what it says and raises quotes the values that it stumbled on."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from services.preprocessing.domain.png import UnreadableImage


@contextmanager
def guarded(what: str) -> Iterator[None]:
    """Drops pydicom's warnings and log records, and has its errors say that ``what`` is damaged.

    Damaged files lead it anywhere, to the end of the stack and of memory too. Raises
    UnreadableImage only, without a trace of what was raised.
    """
    logger = logging.getLogger("pydicom")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    except UnreadableImage:
        raise
    except Exception:  # noqa: BLE001 - whatever it is, it means the same
        raise UnreadableImage(f"{what} damaged") from None
    finally:
        logger.setLevel(level)
