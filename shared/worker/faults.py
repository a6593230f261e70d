"""Failures that may pass: which they are, what to say of them, and when to try again.

All others would only be repeated: input that is wrong, an object that is gone, a mistake in code.
"""

import errno
import random
import tempfile
from datetime import timedelta

import psycopg
from minio.error import MinioException
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from urllib3.exceptions import HTTPError

from shared.errors import LesionGanError, Unavailable
from shared.storage.port import StoreRefused, StoreUnavailable

FIRST_PAUSE_SECONDS = 2.0
GROWTH = 5.0
LONGEST_PAUSE_SECONDS = 60.0


class DatabaseUnavailable(Unavailable):
    title = "Database unavailable"


class DiskFull(LesionGanError):
    status = 507
    title = "Disk full"


class DiskFailure(LesionGanError):
    title = "Disk failure"


class OutOfMemory(LesionGanError):
    """Of the worker or its GPU: another job may hold what this one needs."""

    status = 503
    title = "Out of memory"


class GpuFailure(LesionGanError):
    """Nothing runs on the GPU any more in this process: only another process can go on."""

    status = 503
    title = "GPU failure"


#: What PostgreSQL's codes mean to somebody who cannot look at the server (appendix A of its
#: manual); other codes say that the database is away.
_SAID_OF_SQLSTATE = {
    "25P03": "the database ended a transaction that paused for too long",
    "40001": "the database broke off a transaction that met another",
    "40P01": "the database broke off a transaction that met another",
    "53100": "the disk of the database is full",
    "53200": "the database has no memory left",
    "53300": "the database has no connection left",
    "55P03": "the database did not free a row in time",
    "57014": "the database took too long",
}
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
#: How CUDA's libraries name a lack of memory where torch has no class for it.
_NO_GPU_MEMORY = (
    "CUDA out of memory",
    "CUDA error: out of memory",
    "STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
    "CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate",
)


def passing(error: BaseException) -> LesionGanError | None:
    """What to say of a failure that may pass; None for one that trying again would repeat.

    It names no address, no statement and no file: whoever may read the job may read it.
    """
    if isinstance(error, LesionGanError):
        may_pass = isinstance(error, StoreUnavailable) and not isinstance(error, StoreRefused)
        return error if may_pass else None
    return _of_database(error) or _of_machine(error) or _of_network(error)


def pause(stalls: int) -> timedelta:
    """How long a job waits that has stalled so often before: longer each time, with jitter."""
    seconds = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * GROWTH**stalls)
    # What failed for many at once should not be tried by all of them at once.
    return timedelta(seconds=seconds * random.uniform(0.75, 1.25))  # noqa: S311


def _of_database(error: BaseException) -> LesionGanError | None:
    if isinstance(error, PoolTimeout):
        return DatabaseUnavailable("the database has no connection left")
    cause: object = error.orig if isinstance(error, DBAPIError) else error
    state = cause.sqlstate if isinstance(cause, psycopg.Error) else None
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    away = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)
    if isinstance(error, away) or lost or state in _SAID_OF_SQLSTATE:
        said = _SAID_OF_SQLSTATE.get(state or "", "the database did not answer")
        return DatabaseUnavailable(said)
    return None


def _of_machine(error: BaseException) -> LesionGanError | None:
    if isinstance(error, MemoryError):
        return OutOfMemory("the worker has too little memory")
    if _is_gpu_memory(error):
        return OutOfMemory("the GPU has too little memory free")
    if _is_gpu_failure(error):
        return GpuFailure("the GPU failed")
    number = error.errno if isinstance(error, OSError) else None
    if number in _FULL:
        return DiskFull(f"the disk of the worker is full ({tempfile.gettempdir()})")
    if number == errno.EIO:
        return DiskFailure(f"the disk of the worker fails ({tempfile.gettempdir()})")
    return None


def _is_gpu_memory(error: BaseException) -> bool:
    return _is_of_torch(error, "OutOfMemoryError") or (
        isinstance(error, RuntimeError) and any(each in str(error) for each in _NO_GPU_MEMORY)
    )


def _is_gpu_failure(error: BaseException) -> bool:
    return _is_of_torch(error, "AcceleratorError") or (
        isinstance(error, RuntimeError) and str(error).startswith("CUDA error:")
    )


def _is_of_torch(error: BaseException, name: str) -> bool:
    """By name: most workers never load torch."""
    kind = type(error)
    return kind.__module__.partition(".")[0] == "torch" and kind.__name__ == name


def _of_network(error: BaseException) -> LesionGanError | None:
    if isinstance(error, (MinioException, HTTPError)):
        return StoreUnavailable("the object store does not answer")
    if isinstance(error, (ConnectionError, TimeoutError)):
        return Unavailable("a server did not answer")
    return None
