"""How often a client may ask: each API process counts for itself, in memory.

A key has a rate, whatever secrets or tokens it comes with, and so has an address that sends none.
Keys that are refused cost their address a far smaller rate, and once that is used up the address
may only send keys that were found good: one misconfigured client does not lock out its neighbours
behind the same address.
"""

import hashlib

from shared.settings import Settings
from shared.web.front.addresses import origin
from shared.web.front.buckets import MOST, Buckets


class Rates:
    """The rates of one process."""

    def __init__(self, settings: Settings) -> None:
        rate, refused = settings.requests_per_second, settings.failed_keys_per_minute
        self._requests = Buckets(rate, settings.request_burst) if rate else None
        self._refusals = Buckets(refused / 60, max(1.0, refused)) if refused else None
        #: What was found good, and whose it is.
        self._good: dict[bytes, str] = {}

    def seconds_to_wait(self, authorization: bytes | None, address: str) -> float:
        """Seconds after which the request may come again; 0.0: it may pass."""
        if authorization is None:
            return 0.0 if self._requests is None else self._requests.take(origin(address))
        digest = _digest(authorization)
        if self._refusals is not None and digest not in self._good:
            wait = self._refusals.seconds_until_one(origin(address))
            if wait > 0:
                return wait
        name = self._good.get(digest, digest)
        return 0.0 if self._requests is None else self._requests.take(name)

    def refused(self, authorization: bytes | None, address: str) -> None:
        """The key of a request was not found good."""
        if authorization is not None and self._refusals is not None:
            self._good.pop(_digest(authorization), None)
            self._refusals.take(origin(address))

    def found_good(self, authorization: bytes | None, key_id: str) -> None:
        """The key of a request was found good. It may come with another token each time."""
        if authorization is None:
            return
        digest = _digest(authorization)
        if digest not in self._good and self._requests is not None:
            self._requests.take(key_id)
        self._good[digest] = key_id
        if len(self._good) > MOST:
            del self._good[next(iter(self._good))]


def _digest(authorization: bytes) -> bytes:
    """Secrets are not kept, not even in memory."""
    return hashlib.sha256(authorization).digest()
