"""API keys."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from lesiongan.contracts.base import Command, Resource

Scope = Literal["read", "submit", "admin"]

#: Beyond it, times zones apart are no dates any more.
LATEST = datetime(9000, 1, 1, tzinfo=UTC)


def _ordinary_scopes() -> list[Scope]:
    return ["read", "submit"]


class KeyCommand(Command):
    """Make an API key."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    scopes: Annotated[list[Scope], Field(min_length=1, default_factory=_ordinary_scopes)]
    expires_at: Annotated[AwareDatetime, Field(lt=LATEST)] | None = None


class Key(Resource):
    """An API key as it is listed: never the secret itself."""

    id: str
    name: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class NewKey(Key):
    """A key just made: the only time that its secret is shown."""

    key: str
