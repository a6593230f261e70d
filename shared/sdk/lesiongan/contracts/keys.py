"""API keys."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from lesiongan.contracts.base import STORABLE, Command, Moment, Resource, example

Scope = Literal["read", "submit", "admin"]

KeyName = Annotated[str, Field(min_length=1, max_length=100, pattern=STORABLE)]


def _ordinary_scopes() -> list[Scope]:
    return ["read", "submit"]


class KeyQuota(Resource):
    """What the jobs of a key may use; null is no limit."""

    model_config = example({"stored_bytes": 10**11, "queued_jobs": 50, "device_seconds": None})

    stored_bytes: int | None = None
    queued_jobs: int | None = None
    #: Of the jobs that were submitted in the last 30 days.
    device_seconds: float | None = None


class QuotaCommand(Command):
    """Quotas to set. In a change, what is not named stays, and null takes the limit away."""

    stored_bytes: Annotated[int, Field(ge=0, le=2**62)] | None = None
    queued_jobs: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    device_seconds: Annotated[float, Field(ge=0, le=1e12)] | None = None


class KeyCommand(Command):
    """Make an API key."""

    model_config = example(
        {
            "name": "segmentation pipeline",
            "scopes": ["read", "submit"],
            "expires_at": "2027-01-01T00:00:00Z",
            "quota": {"queued_jobs": 50},
        }
    )

    name: KeyName
    scopes: Annotated[
        list[Scope], Field(min_length=1, max_length=10, default_factory=_ordinary_scopes)
    ]
    expires_at: Moment | None = None
    quota: Annotated[QuotaCommand, Field(default_factory=QuotaCommand)]


class KeyChange(Command):
    """What to change of a key; what is not named stays. A null ``expires_at``: never."""

    model_config = example({"quota": {"device_seconds": 36_000, "queued_jobs": None}})

    name: KeyName | SkipJsonSchema[None] = None
    expires_at: Moment | None = None
    quota: QuotaCommand | None = None


class RotateCommand(Command):
    """Give a key a new secret."""

    model_config = example({"grace_seconds": 3600})

    grace_seconds: Annotated[
        int, Field(ge=0, le=7 * 24 * 3600, description="the old secret is good for so long")
    ] = 0


class Key(Resource):
    """An API key as it is listed: never the secret itself."""

    model_config = example(
        {
            "id": "key_2f4a6c8e0b1d0f3a5c7e9b1d",
            "name": "segmentation pipeline",
            "issuer": None,
            "scopes": ["read", "submit"],
            "created_at": "2026-03-01T09:00:00Z",
            "expires_at": "2027-01-01T00:00:00Z",
            "revoked_at": None,
            "last_used_at": "2026-03-02T10:30:00Z",
            "old_secret_valid_until": None,
            "quota": {"stored_bytes": None, "queued_jobs": 50, "device_seconds": None},
        }
    )

    id: str
    name: str
    #: Who signs the tokens of this subject, whose scopes are in each of them. Null: a key.
    issuer: str | None = None
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    #: To the minute.
    last_used_at: datetime | None = None
    #: After a rotation: until then, the old secret opens as well.
    old_secret_valid_until: datetime | None = None
    quota: Annotated[KeyQuota, Field(default_factory=KeyQuota)]


class NewKey(Key):
    """A key with its new secret: the only time that it is shown."""

    model_config = example(
        {
            "id": "key_2f4a6c8e0b1d0f3a5c7e9b1d",
            "name": "segmentation pipeline",
            "issuer": None,
            "scopes": ["read", "submit"],
            "created_at": "2026-03-01T09:00:00Z",
            "expires_at": "2027-01-01T00:00:00Z",
            "revoked_at": None,
            "last_used_at": "2026-03-02T10:30:00Z",
            "old_secret_valid_until": None,
            "quota": {"stored_bytes": None, "queued_jobs": 50, "device_seconds": None},
            "key": "lg_…",
        }
    )

    key: str
