"""Lists, page after page."""

from collections.abc import Mapping
from typing import Any, TypeVar

from lesiongan.client.call import Call
from lesiongan.client.exchange import Exchange
from lesiongan.client.flow import Emit, Stream
from lesiongan.contracts.base import Page, Resource

Listed = TypeVar("Listed", bound=Resource)
PAGE_ITEMS = 200


def every(
    exchange: Exchange,
    path: str,
    item: type[Listed],
    *,
    params: Mapping[str, Any] | None = None,
    limit: int | None = None,
) -> Stream[Listed]:
    """The items of a list, at most ``limit``; each page is fetched when it is needed."""
    left = limit
    cursor: str | None = None
    while left is None or left > 0:
        wanted = PAGE_ITEMS if left is None else min(left, PAGE_ITEMS)
        query = {**(params or {}), "limit": wanted, "cursor": cursor}
        page = yield from exchange.read(
            Call(method="GET", path=path, params=query),
            Page[item],  # type: ignore[valid-type]
        )
        for listed in page.items[:left]:
            yield Emit(listed)
        cursor = page.next_cursor
        left = None if left is None else left - len(page.items)
        if cursor is None:
            return
