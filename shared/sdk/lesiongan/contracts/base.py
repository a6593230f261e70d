"""What every contract model shares."""

from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict

Item = TypeVar("Item")


class Command(BaseModel):
    """A request body. Unknown members are refused, so that a misspelt option is not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Resource(BaseModel):
    """A response body. Clients keep working when a later server adds members."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Page(Resource, Generic[Item]):
    """One page of a list. ``next_cursor`` is null on the last page."""

    items: list[Item]
    next_cursor: str | None = None
