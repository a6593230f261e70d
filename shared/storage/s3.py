"""The S3 adapter: the ``minio`` client against any S3-compatible server."""

import errno
import io
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, ParamSpec, TypeVar, cast

import urllib3
from minio import Minio
from minio.error import MinioException, S3Error
from urllib3.exceptions import HTTPError

from shared.errors import LesionGanError
from shared.observability import metrics, tracing
from shared.settings import Settings
from shared.storage.port import Listed, ObjectMissing, StoreRefused, StoreUnavailable

log = logging.getLogger(__name__)

CHUNK_BYTES = 1 << 20
#: Of a file that is sent; so much of it is in memory.
PART_BYTES = 16 << 20
_MISSING = frozenset({"NoSuchKey", "NoSuchBucket", "NoSuchObject"})
#: Refusals below 500 that may pass (Amazon S3, "Error responses"; MinIO names its own).
_PASSING = frozenset(
    {
        "OperationAborted",
        "RequestTimeout",
        "RequestTimeTooSkewed",
        "SlowDown",
        "TooManyRequests",
        "XMinioStorageFull",
    }
)
#: Of the local disk, from which files are sent.
_OF_DISK = frozenset({errno.EDQUOT, errno.EIO, errno.ENOENT, errno.ENOSPC})

P = ParamSpec("P")
T = TypeVar("T")


def _nothing() -> None:
    """Nobody asks to be heard while a file is sent."""


class _Attended(io.RawIOBase):
    """A file whose reader asks first whether to go on."""

    def __init__(self, file: BinaryIO, ask: Callable[[], None]) -> None:
        self._file = file
        self._ask = ask

    def read(self, size: int = -1) -> bytes:
        self._ask()
        return self._file.read(size)


class S3Store:
    """Objects in one bucket. Thread-safe; connections are pooled."""

    def __init__(self, settings: Settings) -> None:
        self._bucket = settings.s3_bucket
        self._region = settings.s3_region
        self._client = Minio(
            settings.s3_endpoint,
            access_key=settings.s3_access_key,
            secret_key=settings.s3_secret_key.get_secret_value(),
            secure=settings.s3_secure,
            region=settings.s3_region,
            http_client=_http_pool(),
        )

    def put(self, key: str, data: bytes, *, content_type: str = "application/octet-stream") -> None:
        _ask(
            "put",
            self._client.put_object,
            self._bucket,
            key,
            io.BytesIO(data),
            len(data),
            content_type=content_type,
        )

    def put_file(
        self,
        key: str,
        path: Path,
        *,
        content_type: str = "application/octet-stream",
        between: Callable[[], None] = _nothing,
    ) -> None:
        with path.open("rb") as file:
            _ask(
                "put",
                self._client.put_object,
                self._bucket,
                key,
                cast("BinaryIO", _Attended(file, between)),
                path.stat().st_size,
                content_type=content_type,
                part_size=PART_BYTES,
                num_parallel_uploads=1,
            )

    def get(self, key: str) -> bytes:
        return _ask("get", self._read, self._bucket, key, 0, 0)

    def get_range(self, key: str, offset: int, size: int) -> bytes:
        return _ask("get", self._read, self._bucket, key, offset, size) if size else b""

    def stream(self, key: str) -> Iterator[bytes]:
        response = _ask("open", self._client.get_object, self._bucket, key)
        try:
            yield from response.stream(CHUNK_BYTES)
        except HTTPError as error:
            raise StoreUnavailable("the object store broke off") from error
        finally:
            response.close()
            response.release_conn()

    def list(self, prefix: str, *, bucket: str | None = None) -> Iterator[Listed]:
        found = _ask(
            None, self._client.list_objects, bucket or self._bucket, prefix, recursive=True
        )
        while True:
            entry = _ask(None, next, found, None)
            if entry is None:
                return
            if not entry.is_dir and entry.object_name is not None:
                assert entry.last_modified is not None, "every listing says it"
                yield Listed(
                    entry.object_name, entry.size or 0, entry.etag or "", entry.last_modified
                )

    def open_foreign(self, bucket: str, key: str) -> bytes:
        try:
            return _ask("get", self._read, bucket, key, 0, 0)
        except ObjectMissing:
            # A lab may name its objects after its patients.
            raise ObjectMissing(f"an object of bucket {bucket} is not there") from None

    def delete(self, key: str) -> None:
        _ask("delete", self._client.remove_object, self._bucket, key)

    def ensure_bucket(self) -> None:
        if not _ask("check", self._client.bucket_exists, self._bucket):
            _ask("make", self._client.make_bucket, self._bucket, self._region)

    def check(self) -> None:
        if not _ask("check", self._client.bucket_exists, self._bucket):
            raise StoreUnavailable(f"bucket {self._bucket} does not exist")

    def _read(self, bucket: str, key: str, offset: int, size: int) -> bytes:
        response = self._client.get_object(bucket, key, offset=offset, length=size)
        try:
            return bytes(response.read())
        finally:
            response.close()
            response.release_conn()


def _http_pool() -> urllib3.PoolManager:
    return urllib3.PoolManager(
        maxsize=32,
        timeout=urllib3.Timeout(connect=5, read=60),
        retries=urllib3.Retry(total=3, backoff_factor=0.2, status_forcelist=[500, 502, 503, 504]),
    )


def _ask(operation: str | None, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call S3, translate its failures into ours and, unless ``operation`` is None, time it.

    A listing is not timed: its entries come with one request for each thousand.
    """
    began_ns = time.perf_counter_ns()
    try:
        return _translated(call, *args, **kwargs)
    except LesionGanError as error:
        metrics.bound(metrics.S3_ERRORS, operation or "list", error.title).inc()
        raise
    finally:
        if operation is not None:
            took_ns = time.perf_counter_ns() - began_ns
            metrics.bound(metrics.S3_SECONDS, operation).observe(took_ns * 1e-9)
            tracing.note(f"s3 {operation}", took_ns)


def _translated(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    try:
        return call(*args, **kwargs)
    except S3Error as error:
        if error.code in _MISSING:
            missing = error.object_name or error.bucket_name
            raise ObjectMissing(f"{missing} is not in the store") from error
        raise _refusal(error) from error
    except ValueError as error:
        # The client refuses the name of a bucket or an object, so nothing lies there.
        raise ObjectMissing(str(error)) from error
    except (HTTPError, MinioException, OSError) as error:
        if isinstance(error, OSError) and error.errno in _OF_DISK:
            raise
        # The error itself may quote an object's name.
        why = getattr(error, "reason", None) or type(error).__name__
        log.warning("the object store does not answer: %s", why)
        raise StoreUnavailable("the object store does not answer") from error


def _refusal(error: S3Error) -> StoreUnavailable:
    """The code alone: a store's message may quote keys and names."""
    detail = f"the object store refused: {error.code}"
    may_pass = error.response.status >= 500 or error.code in _PASSING
    return StoreUnavailable(detail) if may_pass else StoreRefused(detail)
