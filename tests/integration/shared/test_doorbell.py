"""What rings is what Celery would have sent."""

import base64
import json
from typing import Any

from redis import Redis

from deploy.local.servers import Servers
from shared.queue.celery import CeleryDoorbell, make_celery
from shared.queue.port import RUN_JOB, Ring
from shared.settings import Settings

#: Different in each message, and in Celery's own from one to the next.
IDS = ("id", "root_id", "correlation_id", "delivery_tag")


def messages(servers: Servers, queue: str) -> list[dict[str, Any]]:
    with Redis.from_url(servers.redis_url) as redis:
        return [json.loads(each) for each in redis.lrange(queue, 0, -1)]


def without_ids(message: dict[str, Any]) -> dict[str, Any]:
    """The message, and its body as text: the same bytes in another order are another message."""
    known = {
        part: {name: "" if name in IDS else value for name, value in message[part].items()}
        for part in ("headers", "properties")
    }
    # Nobody answers to a doorbell.
    known["properties"]["reply_to"] = ""
    return {**message, **known, "body": base64.b64decode(message["body"])}


def test_a_ring_is_celerys_message(
    bell: CeleryDoorbell, settings: Settings, servers: Servers
) -> None:
    assert bell.ring("augmentation", "job_1")
    celery = make_celery(settings)
    celery.send_task(RUN_JOB, args=["job_1"], queue="augmentation", retry=False)
    celerys, ours = messages(servers, "augmentation")
    assert without_ids(ours) == without_ids(celerys)
    assert (
        ours["headers"]["id"] == ours["headers"]["root_id"] == ours["properties"]["correlation_id"]
    )
    celery.close()


def test_many_are_rung_at_once_each_in_its_queue(bell: CeleryDoorbell, servers: Servers) -> None:
    assert bell.ring_all(
        [Ring("default", "job_1"), Ring("gan-train", "job_2"), Ring("default", "job_3")]
    )
    found = messages(servers, "default")
    assert [message["headers"]["argsrepr"] for message in found] == ["['job_3']", "['job_1']"]
    assert len({message["properties"]["delivery_tag"] for message in found}) == 2
    assert len(messages(servers, "gan-train")) == 1
