"""Which failures may pass, and what is said of them."""

import errno
from pathlib import Path
from types import SimpleNamespace

import psycopg
import psycopg.errors
import pytest
import torch
import urllib3
from hypothesis import given
from hypothesis import strategies as st
from minio.error import InvalidResponseError, S3Error
from sqlalchemy.exc import DBAPIError, IntegrityError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared.datasets.shards import ShardWriter
from shared.errors import BadInput, Diverged
from shared.storage.port import ObjectMissing, StoreRefused, StoreUnavailable
from shared.storage.s3 import _ask
from shared.worker import faults
from tests.integration.shared.builders import grey_png, meta

SECRET = "postgres://user:hunter2@10.0.0.1/Doe_John.png"
STATEMENT = f"SELECT '{SECRET}'"


def of_database(cause: psycopg.Error) -> DBAPIError:
    kind = OperationalError if isinstance(cause, psycopg.OperationalError) else InternalError
    return kind(STATEMENT, {"patient": SECRET}, cause)


def out_of_disk(number: int = errno.ENOSPC) -> OSError:
    return OSError(number, "No space left on device", f"/scratch/{SECRET}")


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (of_database(psycopg.OperationalError(SECRET)), "database", "did not answer"),
        (psycopg.OperationalError(SECRET), "database", "did not answer"),
        (psycopg.InterfaceError(SECRET), "database", "did not answer"),
        (PoolTimeout(SECRET), "database", "no connection left"),
        (of_database(psycopg.errors.QueryCanceled()), "database", "too long"),
        (of_database(psycopg.errors.DeadlockDetected()), "database", "met another"),
        (of_database(psycopg.errors.SerializationFailure()), "database", "met another"),
        (of_database(psycopg.errors.LockNotAvailable()), "database", "free a row"),
        (of_database(psycopg.errors.IdleInTransactionSessionTimeout()), "database", "paused"),
        (of_database(psycopg.errors.DiskFull()), "database", "disk of the database is full"),
        (of_database(psycopg.errors.AdminShutdown()), "database", "did not answer"),
        (StoreUnavailable("the object store does not answer"), "object-store", "does not answer"),
        (InvalidResponseError(500, "text/html", SECRET), "object-store", "does not answer"),
        (urllib3.exceptions.ProtocolError(SECRET), "object-store", "does not answer"),
        (out_of_disk(), "disk-full", "disk of the worker is full (/"),
        (out_of_disk(errno.EDQUOT), "disk-full", "disk of the worker is full (/"),
        (out_of_disk(errno.EIO), "disk-failure", "disk of the worker fails (/"),
        (MemoryError(SECRET), "out-of-memory", "the worker has too little memory"),
        (torch.OutOfMemoryError(SECRET), "out-of-memory", "the GPU has too little memory"),
        (RuntimeError("CUDA error: out of memory"), "out-of-memory", "the GPU"),
        (RuntimeError("CUBLAS_STATUS_ALLOC_FAILED when calling"), "out-of-memory", "the GPU"),
        (
            RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"),
            "out-of-memory",
            "the GPU",
        ),
        (
            RuntimeError(
                "CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`"
            ),
            "out-of-memory",
            "the GPU",
        ),
        (torch.AcceleratorError(SECRET), "gpu-failure", "the GPU failed"),
        (RuntimeError("CUDA error: an illegal memory access"), "gpu-failure", "the GPU failed"),
        (ConnectionResetError(SECRET), "service", "a server did not answer"),
        (TimeoutError(SECRET), "service", "a server did not answer"),
    ],
)
def test_what_may_pass_is_said_in_plain_words(error: Exception, kind: str, said: str) -> None:
    fault = faults.passing(error)
    assert fault is not None
    assert fault.type.startswith(f"/errors/{kind}")
    assert said in fault.detail
    assert not any(part in str(fault.problem()) for part in ("Doe", "hunter2", "SELECT"))


@pytest.mark.parametrize(
    "error",
    [
        BadInput("row 7: the box lies outside its image"),
        Diverged("no finite losses"),
        ObjectMissing("gone"),
        StoreRefused("the object store refused: AccessDenied"),
        ZeroDivisionError(),
        KeyError("unheard-of"),
        RuntimeError("shapes do not fit"),
        FileNotFoundError(errno.ENOENT, "no such file"),
        PermissionError(errno.EACCES, "no"),
        IntegrityError(STATEMENT, {}, psycopg.errors.UniqueViolation()),
        of_database(psycopg.errors.InFailedSqlTransaction()),
    ],
)
def test_what_would_only_be_repeated_does_not_pass(error: Exception) -> None:
    assert faults.passing(error) is None


def test_a_connection_that_died_within_a_statement_may_pass() -> None:
    died = InternalError(STATEMENT, {}, psycopg.InternalError(), connection_invalidated=True)
    assert faults.passing(died) is not None


def refusal(code: str, status: int) -> S3Error:
    return S3Error(SimpleNamespace(status=status), code, SECRET, "/b/k", "1", "2")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "status", "passes"),
    [
        ("InternalError", 500, True),
        ("SlowDown", 503, True),
        ("SlowDown", 429, True),
        ("InsufficientStorage", 507, True),
        ("XMinioStorageFull", 507, True),
        ("RequestTimeout", 400, True),
        ("AccessDenied", 403, False),
        ("InvalidAccessKeyId", 403, False),
        ("EntityTooLarge", 400, False),
    ],
)
def test_refusals_of_the_store_pass_by_their_code(code: str, status: int, passes: bool) -> None:
    def refused() -> None:
        raise refusal(code, status)

    with pytest.raises(StoreUnavailable) as caught:
        _ask("put", refused)
    assert caught.value.detail == f"the object store refused: {code}"
    assert (faults.passing(caught.value) is not None) is passes


def test_a_full_disk_is_not_the_stores_fault(tmp_path: Path) -> None:
    def send() -> None:
        raise out_of_disk()

    with pytest.raises(OSError, match="No space left"):
        _ask("put", send)


def fill(writer: ShardWriter) -> None:
    with writer:
        while True:
            writer.add(grey_png(1), meta())


def test_a_full_disk_leaves_no_shard(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    really = Path.open
    monkeypatch.setattr(Path, "open", lambda _, mode: really(Path("/dev/full"), mode))
    with pytest.raises(OSError, match="No space left") as caught:
        fill(ShardWriter(0, 0))
    fault = faults.passing(caught.value)
    assert fault is not None
    assert fault.detail == f"the disk of the worker is full ({tmp_path})"
    assert list(tmp_path.iterdir()) == []


@given(st.integers(0, 50))
def test_pauses_grow_up_to_a_minute_and_differ(stalls: int) -> None:
    usual = min(60.0, 2.0 * 5.0**stalls)
    drawn = {faults.pause(stalls).total_seconds() for _ in range(5)}
    assert all(0.75 * usual <= seconds <= 1.25 * usual for seconds in drawn)
    assert len(drawn) > 1
