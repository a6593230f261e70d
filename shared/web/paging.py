"""``?limit=&cursor=`` of every list, and ``?from=&to=`` of those that go by time."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query

from lesiongan.contracts.base import Moment
from shared.db.pages import MAX_LIMIT


@dataclass(frozen=True)
class Paging:
    """How much of a list is asked for, and from where."""

    limit: int
    cursor: str | None


async def get_paging(
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="items on a page")] = 50,
    cursor: Annotated[
        str | None, Query(max_length=500, description="`next_cursor` of the page before")
    ] = None,
) -> Paging:
    """The page that a request asks for."""
    return Paging(limit, cursor)


PagingDep = Annotated[Paging, Depends(get_paging)]

FirstQuery = Annotated[Moment | None, Query(alias="from", description="not earlier than this")]
EndQuery = Annotated[Moment | None, Query(alias="to", description="earlier than this")]
