"""What every contract model shares."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Item = TypeVar("Item")

#: A date and a time; a number would be taken for seconds since 1970.
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d")

#: Text that a database can hold: no NUL in it.
STORABLE = r"^[^\x00]*$"


def _date_and_time(value: object) -> object:
    if isinstance(value, datetime) or (isinstance(value, str) and _DATE_TIME.match(value)):
        return value
    raise ValueError("a time is written as in 2027-01-01T00:00:00Z")


#: A moment that a client names: RFC 3339, with its zone, and before year 9000: beyond, times zones
#: apart are no dates any more.
Moment = Annotated[
    AwareDatetime,
    Field(
        strict=False,
        lt=datetime(9000, 1, 1, tzinfo=UTC),
        json_schema_extra={"pattern": r"^[0-8]\d{3}-"},
    ),
    BeforeValidator(_date_and_time),
]


def _whole(value: Any) -> Any:
    if isinstance(value, list):
        return [_whole(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


class Command(BaseModel):
    """A request body, taken literally.

    Unknown members are refused, so that a misspelt option is not ignored; so are texts in the place
    of numbers, and numbers in the place of ``true`` and ``false``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _whole_numbers(cls, given: Any) -> Any:
        """JSON has one kind of number: 3.0 is a whole one."""
        if not isinstance(given, dict):
            return given
        return {name: _whole(value) for name, value in given.items()}


#: The command that made a resource, with its defaults. Untitled, generators would name its type
#: after resource and member, as they name the command's own.
Given = Annotated[dict[str, Any], Field(title="Command as given")]


class Resource(BaseModel):
    """A response body. Clients keep working when a later server adds members."""

    model_config = ConfigDict(extra="ignore", frozen=True)


def _both_given(names: tuple[str, str]) -> dict[str, Any]:
    given = {name: {"not": {"type": "null"}} for name in names}
    return {"required": list(names), "properties": given}


def example(value: dict[str, Any], *, not_both: Sequence[tuple[str, str]] = ()) -> ConfigDict:
    """The configuration of a model that shows ``value`` in the OpenAPI document.

    ``not_both`` names pairs of members that exclude each other: a validator checks it.
    """
    shown: dict[str, Any] = {"examples": [value]}
    if not_both:
        shown["not"] = {"anyOf": [_both_given(pair) for pair in not_both]}
    return ConfigDict(json_schema_extra=shown)


class Page(Resource, Generic[Item]):
    """One page of a list. ``next_cursor`` is null on the last page."""

    items: list[Item]
    next_cursor: str | None = None
