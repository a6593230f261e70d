"""The issuer's keys as this process knows them: asked for seldom, by one at a time.

Tokens come from strangers. Whatever they carry, the issuer is asked at most every ten seconds,
and those who wait for its answer hold neither a thread nor a connection to the database.
"""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable

from jwt import PyJWK

from shared.errors import Unauthorized, Unavailable
from shared.web.oidc.issuer import NoAnswer
from shared.web.oidc.key_set import KeySet

log = logging.getLogger(__name__)

#: Between two questions.
PAUSE_SECONDS = 10.0
#: Older keys are asked for again while the old ones serve: the issuer may have dropped one.
FRESH_SECONDS = 300.0
#: What an issuer that does not answer said before is believed for so long.
BELIEVED_SECONDS = 24 * 3600.0


class KnownKeys:
    """For one event loop."""

    def __init__(
        self,
        ask: Callable[[], Awaitable[KeySet]],
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """``ask`` raises :class:`NoAnswer`."""
        self._ask = ask
        self._now = now
        self._keys: KeySet = {}
        self._told_at = self._asked_at = -math.inf
        self._silent = False
        self._task: asyncio.Task[None] | None = None

    async def key(self, kid: str, algorithm: str) -> PyJWK:
        """The key that checks a token.

        Raises :class:`Unauthorized` if the issuer has no such key, and :class:`Unavailable` if it
        does not say.
        """
        age = self._now() - self._told_at
        if kid not in self._keys or age > BELIEVED_SECONDS:
            task = self._begin()
            if task is not None:
                # A client that goes away does not take the answer from the others.
                await asyncio.shield(task)
        elif age > FRESH_SECONDS:
            self._begin()
        return self._found(kid, algorithm)

    async def stop(self) -> None:
        """Wait for no answer any more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def _found(self, kid: str, algorithm: str) -> PyJWK:
        believed = self._now() - self._told_at <= BELIEVED_SECONDS
        found = self._keys.get(kid) if believed else None
        if found is None and (self._silent or not believed):
            seconds = max(1, math.ceil(self._asked_at + PAUSE_SECONDS - self._now()))
            raise Unavailable("the issuer of this token does not answer", retry_after=seconds)
        if found is None or algorithm not in found:
            raise Unauthorized("this token is signed with a key that its issuer does not have")
        return found[algorithm]

    def _begin(self) -> asyncio.Task[None] | None:
        """The question that is under way, or a new one unless the last was a moment ago."""
        if self._task is None or self._task.done():
            if self._now() - self._asked_at < PAUSE_SECONDS:
                return None
            self._asked_at = self._now()
            self._task = asyncio.create_task(self._learn(), name="oidc-keys")
        return self._task

    async def _learn(self) -> None:
        try:
            self._keys = await self._ask()
        except NoAnswer as error:
            self._silent = True
            log.warning("the OIDC issuer does not tell its keys: %s", error)
        else:
            self._silent = False
            self._told_at = self._now()
