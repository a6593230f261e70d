"""The port to object storage: what the rest of the system asks of any S3."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from shared.errors import LesionGanError, NotFound


class ObjectMissing(NotFound):
    """An object that a row names does not lie in the store."""

    title = "Object missing"


class StoreUnavailable(LesionGanError):
    """The store did not answer, or refused for a reason that may pass."""

    status = 503
    title = "Object store unavailable"


class StoreRefused(StoreUnavailable):
    """The store refused for a reason that waiting does not change, such as wrong credentials."""

    title = "Object store refused"


@dataclass(frozen=True)
class Listed:
    """An object as a listing names it. ``etag`` changes when its content does."""

    key: str
    bytes: int
    etag: str
    #: When it was stored, by the store's clock.
    modified_at: datetime


class ObjectStore(Protocol):
    """Objects by key in one bucket. Every method raises :class:`StoreUnavailable` when S3 fails."""

    def put(self, key: str, data: bytes, *, content_type: str = ...) -> None:
        """Store ``data`` under ``key``, replacing what lies there."""

    def put_file(
        self, key: str, path: Path, *, content_type: str = ..., between: Callable[[], None] = ...
    ) -> None:
        """Store a file's content; a large file goes in parts.

        ``between`` is called before each: what it raises ends the sending, and nothing is stored.
        """

    def get(self, key: str) -> bytes:
        """The whole object. Raises :class:`ObjectMissing`."""

    def get_range(self, key: str, offset: int, size: int) -> bytes:
        """``size`` bytes from ``offset``, in one ranged read. Raises :class:`ObjectMissing`."""

    def stream(self, key: str) -> Iterator[bytes]:
        """The object in chunks, without holding it in memory. Raises :class:`ObjectMissing`."""

    def list(self, prefix: str, *, bucket: str | None = None) -> Iterator[Listed]:
        """Everything below ``prefix``, in order of keys. Raises :class:`ObjectMissing`."""

    def open_foreign(self, bucket: str, key: str) -> bytes:
        """An object of another bucket of the same store. Raises :class:`ObjectMissing`."""

    def delete(self, key: str) -> None:
        """Remove an object; a missing one is no error."""

    def ensure_bucket(self) -> None:
        """Make the bucket if it is not there."""

    def __hash__(self) -> int:
        """By identity: what was read of a store may be kept beside it."""

    def check(self) -> None:
        """Raise :class:`StoreUnavailable` unless the bucket answers."""
