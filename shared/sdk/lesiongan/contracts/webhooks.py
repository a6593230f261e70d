"""Webhooks: who is told of jobs that end, and what became of it."""

from datetime import datetime
from typing import Annotated, Literal, get_args

from pydantic import Field

from lesiongan.contracts.base import STORABLE, Command, Resource, example

WebhookEvent = Literal["job.succeeded", "job.failed", "job.cancelled"]
DeliveryStatus = Literal["pending", "delivered", "failed"]
JobScope = Literal["own", "all"]
JobKind = Annotated[str, Field(min_length=1, max_length=50, pattern=STORABLE)]


def _all_events() -> list[WebhookEvent]:
    return list(get_args(WebhookEvent))


class WebhookCommand(Command):
    """Be told of jobs that end."""

    model_config = example(
        {
            "url": "https://lab.example/hooks/lesiongan",
            "events": ["job.succeeded", "job.failed"],
            "kinds": ["experiment"],
        }
    )

    url: Annotated[
        str,
        Field(
            min_length=1,
            max_length=2000,
            description="receives POST requests; https, without user, password or fragment",
            examples=["https://lab.example/hooks/lesiongan"],
        ),
    ]
    name: Annotated[str, Field(max_length=100, pattern=STORABLE)] = ""
    events: Annotated[list[WebhookEvent], Field(min_length=1, max_length=10)] = Field(
        default_factory=_all_events
    )
    kinds: Annotated[
        list[JobKind],
        Field(
            max_length=50,
            description="only jobs of these kinds; empty: of every kind",
            examples=[["experiment", "train-gan"]],
        ),
    ] = Field(default_factory=list)
    jobs: Annotated[
        JobScope,
        Field(description="own: jobs that this key asked for; all: every job, needs scope admin"),
    ] = "own"


class Webhook(Resource):
    """A webhook, without its secret."""

    model_config = example(
        {
            "id": "wh_4a6c8e0b1d0f3a5c7e9b1d2f",
            "name": "lab",
            "url": "https://lab.example/hooks/lesiongan",
            "events": ["job.succeeded", "job.failed"],
            "kinds": ["experiment"],
            "jobs": "own",
            "key": "key_2f4a6c8e0b1d0f3a5c7e9b1d",
            "old_secret_valid_until": None,
            "failing_since": None,
            "disabled_at": None,
            "disabled_reason": None,
            "created_at": "2026-03-01T09:00:00Z",
        }
    )

    id: str
    name: str
    url: str
    events: list[WebhookEvent]
    kinds: list[str]
    jobs: JobScope
    #: The key that made it: when that is revoked or expires, nothing is sent any more.
    key: str
    #: After a rotation: until then, messages are signed with the old secret as well.
    old_secret_valid_until: datetime | None = None
    #: Since when every attempt has failed.
    failing_since: datetime | None = None
    disabled_at: datetime | None = None
    disabled_reason: str | None = None
    created_at: datetime


class NewWebhook(Webhook):
    """A webhook with its new secret: the only time that it is shown."""

    model_config = example(
        {
            "id": "wh_4a6c8e0b1d0f3a5c7e9b1d2f",
            "name": "lab",
            "url": "https://lab.example/hooks/lesiongan",
            "events": ["job.succeeded", "job.failed"],
            "kinds": ["experiment"],
            "jobs": "own",
            "key": "key_2f4a6c8e0b1d0f3a5c7e9b1d",
            "created_at": "2026-03-01T09:00:00Z",
            "secret": "whsec_…",
        }
    )

    secret: str


class DeliveryAttempt(Resource):
    """One request to the receiver. Without ``error`` it arrived."""

    at: datetime
    #: What the receiver answered, if it did.
    status: int | None = None
    seconds: float
    error: str | None = None


class Delivery(Resource):
    """One event for one webhook. ``id`` is sent as ``webhook-id``, the same in every attempt."""

    model_config = example(
        {
            "id": "msg_6c8e0b1d0f3a5c7e9b1d2f4a",
            "webhook": "wh_4a6c8e0b1d0f3a5c7e9b1d2f",
            "event": "job.succeeded",
            "job": "job_3f2a9c1e7b5d4f60a1b2c3d4",
            "status": "delivered",
            "attempts": [
                {"at": "2026-03-01T09:04:11Z", "status": 204, "seconds": 0.12, "error": None}
            ],
            "next_attempt_at": None,
            "delivered_at": "2026-03-01T09:04:11Z",
            "created_at": "2026-03-01T09:04:11Z",
        }
    )

    id: str
    webhook: str
    #: A :data:`WebhookEvent`, or ``ping``.
    event: str
    job: str | None
    status: DeliveryStatus
    attempts: list[DeliveryAttempt]
    #: While ``status`` is pending.
    next_attempt_at: datetime | None
    delivered_at: datetime | None
    created_at: datetime
