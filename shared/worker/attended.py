"""A store that lets a job be cancelled wherever it reads or writes."""

from collections.abc import Callable, Iterator
from pathlib import Path

from shared.storage.port import Listed, ObjectStore


class AttendedStore:
    """``store`` for one attempt: each call, chunk and entry asks first whether to go on.

    ``check`` raises what ends the attempt. Deleting does not ask: it clears up after the end. An
    :class:`shared.storage.port.ObjectStore`, and equal to ``store`` where something is kept by it.
    """

    def __init__(self, store: ObjectStore, check: Callable[[], None]) -> None:
        self._store = store
        self._check = check

    def __hash__(self) -> int:
        return hash(self._store)

    def __eq__(self, other: object) -> bool:
        return self._store == (other._store if isinstance(other, AttendedStore) else other)

    def put(self, key: str, data: bytes, *, content_type: str = "application/octet-stream") -> None:
        self._check()
        self._store.put(key, data, content_type=content_type)

    def put_file(
        self,
        key: str,
        path: Path,
        *,
        content_type: str = "application/octet-stream",
        between: Callable[[], None] = lambda: None,
    ) -> None:
        def ask() -> None:
            self._check()
            between()

        self._store.put_file(key, path, content_type=content_type, between=ask)

    def get(self, key: str) -> bytes:
        self._check()
        return self._store.get(key)

    def get_range(self, key: str, offset: int, size: int) -> bytes:
        self._check()
        return self._store.get_range(key, offset, size)

    def stream(self, key: str) -> Iterator[bytes]:
        for chunk in self._store.stream(key):
            self._check()
            yield chunk

    def list(self, prefix: str, *, bucket: str | None = None) -> Iterator[Listed]:
        for entry in self._store.list(prefix, bucket=bucket):
            self._check()
            yield entry

    def open_foreign(self, bucket: str, key: str) -> bytes:
        self._check()
        return self._store.open_foreign(bucket, key)

    def delete(self, key: str) -> None:
        self._store.delete(key)

    def ensure_bucket(self) -> None:
        self._store.ensure_bucket()

    def check(self) -> None:
        self._store.check()
