"""One request, as a value: the resources write calls, the drivers send them."""

import uuid
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

#: Opens what is sent as multipart files, anew for each attempt.
Files = Callable[[ExitStack], dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request, as often as it must be sent."""

    method: str
    path: str
    params: Mapping[str, Any] = field(default_factory=dict)
    json: Any = None
    content: bytes | None = None
    form: Mapping[str, str] | None = None
    files: Files | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    #: Has the same effect however often it is sent.
    repeatable: bool = True
    read_seconds: float = 60.0

    def with_idempotency_key(self, key: str | None = None) -> "Call":
        """This call with a key that makes all its attempts one request to the server."""
        return self.with_headers({"Idempotency-Key": key or str(uuid.uuid4())})

    def with_headers(self, headers: Mapping[str, str]) -> "Call":
        """This call with more headers."""
        return replace(self, headers={**self.headers, **headers})
