"""Lists, page after page."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from lesiongan.client.transport import Call, Transport
from lesiongan.contracts.base import Page, Resource

Item = TypeVar("Item", bound=Resource)
PAGE_ITEMS = 200


def every(
    transport: Transport,
    path: str,
    item: type[Item],
    *,
    params: Mapping[str, Any] | None = None,
    limit: int | None = None,
) -> Iterator[Item]:
    """The items of a list, at most ``limit``; each page is fetched when it is needed."""
    left = limit
    cursor: str | None = None
    while left is None or left > 0:
        wanted = PAGE_ITEMS if left is None else min(left, PAGE_ITEMS)
        query = {**(params or {}), "limit": wanted, "cursor": cursor}
        page = transport.read(
            Call(method="GET", path=path, params=query),
            Page[item],  # type: ignore[valid-type]
        )
        yield from page.items[:left]
        cursor = page.next_cursor
        left = None if left is None else left - len(page.items)
        if cursor is None:
            return
