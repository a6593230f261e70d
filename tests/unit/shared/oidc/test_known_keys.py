"""How often the issuer is asked for its keys, and what is believed meanwhile."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from shared.errors import Unauthorized, Unavailable
from shared.web.oidc.issuer import NoAnswer
from shared.web.oidc.key_set import KeySet, read_key_set
from shared.web.oidc.known_keys import (
    BELIEVED_SECONDS,
    FRESH_SECONDS,
    PAUSE_SECONDS,
    KnownKeys,
)
from tests.unit.shared.oidc.signing import Signer


class FakeIssuer:
    """Answers as it is told, by a clock that stands still."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.asked = 0
        self.away = False
        self.keys: KeySet = key_set("old")
        self.open = asyncio.Event()
        self.open.set()
        self.known = KnownKeys(self.answer, now=lambda: self.seconds)

    async def answer(self) -> KeySet:
        self.asked += 1
        await self.open.wait()
        if self.away:
            raise NoAnswer("away")
        return self.keys

    async def has(self, kid: str) -> bool:
        """Whether a token that names this key would be checked with it."""
        try:
            return (await self.known.key(kid, "ES256")).key_id == kid
        except Unauthorized:
            return False


def key_set(*names: str) -> KeySet:
    return read_key_set({"keys": [Signer("ES256", kid=name).jwk for name in names]})


def runs(test: Callable[[FakeIssuer], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """A test in a loop of its own."""

    def run() -> None:
        async def whole() -> None:
            await test(FakeIssuer())

        asyncio.run(whole())

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


@runs
async def test_keys_are_asked_for_once(issuer: FakeIssuer) -> None:
    assert [await issuer.has("old") for _ in range(5)] == [True] * 5
    assert issuer.asked == 1


@runs
async def test_unknown_names_ask_again_but_not_often(issuer: FakeIssuer) -> None:
    await issuer.has("old")
    for number in range(100):
        assert not await issuer.has(f"random-{number}")
    assert issuer.asked == 1
    issuer.seconds += PAUSE_SECONDS
    for number in range(100):
        assert not await issuer.has(f"random-{number}")
    assert issuer.asked == 2


@runs
async def test_a_new_key_is_found_and_an_old_one_dropped(issuer: FakeIssuer) -> None:
    assert await issuer.has("old")
    issuer.keys = key_set("new")
    issuer.seconds += PAUSE_SECONDS
    assert await issuer.has("new")
    assert not await issuer.has("old")


@runs
async def test_all_who_wait_share_one_question(issuer: FakeIssuer) -> None:
    issuer.open.clear()
    waiting = [asyncio.create_task(issuer.has("old")) for _ in range(50)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    issuer.seconds += PAUSE_SECONDS
    await asyncio.sleep(0)
    issuer.open.set()
    assert await asyncio.gather(*waiting[1:]) == [True] * 49
    assert issuer.asked == 1


@runs
async def test_known_keys_do_not_wait_for_fresh_ones(issuer: FakeIssuer) -> None:
    await issuer.has("old")
    issuer.open.clear()
    issuer.seconds += FRESH_SECONDS + 1
    assert await issuer.has("old")
    issuer.keys = key_set("new")
    issuer.open.set()
    while issuer.asked < 2 or await issuer.has("old"):
        await asyncio.sleep(0)
    assert await issuer.has("new")
    assert issuer.asked == 2


@runs
async def test_an_issuer_that_is_away(issuer: FakeIssuer) -> None:
    issuer.away = True
    for _ in range(5):
        with pytest.raises(Unavailable) as caught:
            await issuer.has("old")
    assert caught.value.extra == {"retry_after": PAUSE_SECONDS}
    assert issuer.asked == 1
    issuer.away = False
    issuer.seconds += PAUSE_SECONDS
    assert await issuer.has("old")


@runs
async def test_what_it_said_before_is_believed_for_a_day(issuer: FakeIssuer) -> None:
    assert await issuer.has("old")
    issuer.away = True
    issuer.seconds += BELIEVED_SECONDS - 1
    assert await issuer.has("old")
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await issuer.has("other")
    issuer.seconds += PAUSE_SECONDS
    with pytest.raises(Unavailable):
        await issuer.has("old")


@runs
async def test_a_key_checks_its_own_algorithm_alone(issuer: FakeIssuer) -> None:
    with pytest.raises(Unauthorized):
        await issuer.known.key("old", "RS256")
    with pytest.raises(Unauthorized):
        await issuer.known.key("old", "HS256")
    assert issuer.asked == 1


@runs
async def test_stopping_ends_a_question(issuer: FakeIssuer) -> None:
    issuer.open.clear()
    waiting = asyncio.create_task(issuer.has("old"))
    await asyncio.sleep(0)
    await issuer.known.stop()
    with pytest.raises(asyncio.CancelledError):
        await waiting
