"""Redis and the object store: asked as the services ask them."""

from __future__ import annotations

from redis import Redis
from redis.exceptions import AuthenticationError, RedisError

from deploy.doctor.finding import Findings, error, ok
from deploy.prepare import reach
from shared.ids import new_id
from shared.settings import Settings
from shared.storage.port import ObjectMissing, StoreUnavailable
from shared.storage.s3 import S3Store


def check_redis(settings: Settings) -> Findings:
    """A ping with the password."""
    url = settings.redis_url.get_secret_value()
    try:
        with Redis.from_url(url, socket_connect_timeout=2, socket_timeout=5) as redis:
            redis.ping()
    except AuthenticationError:
        yield error("redis", "refuses the password", "correct that in LESIONGAN_REDIS_URL")
    except (RedisError, ValueError) as away:
        # The error names host and port; a malformed address may hold the password.
        said = type(away).__name__ if isinstance(away, ValueError) else str(away)
        todo = "start it, or correct LESIONGAN_REDIS_URL; until then jobs wait for the sweeper"
        yield error("redis", f"does not answer: {said}", todo)
    else:
        yield ok("redis", "answers")


def check_store(settings: Settings) -> Findings:
    """An object of some bytes is written, read and deleted."""
    store, where = S3Store(settings), settings.s3_endpoint
    key, content = f"doctor/{new_id('probe')}", b"written by lesiongan doctor"
    try:
        reach(where, default_port=443 if settings.s3_secure else 80)
        store.check()
        store.put(key, content)
        same = store.get(key) == content
        store.delete(key)
    except ObjectMissing as missing:
        todo = "see what else writes to the bucket: it must be ours alone"
        yield error("s3", f"what was written is not there: {missing.detail}", todo)
    except StoreUnavailable as refused:
        yield error("s3", f"{refused.detail} ({where})", _todo(refused.detail))
    else:
        if same:
            yield ok("s3", f"bucket {settings.s3_bucket} is written, read and deleted from")
        else:
            yield error("s3", "other bytes came back than were written", "see the store's log")


def _todo(said: str) -> str:
    if "does not exist" in said:
        return "run `python -m deploy.prepare`, which makes it, or correct LESIONGAN_S3_BUCKET"
    if "SignatureDoesNotMatch" in said or "InvalidAccessKeyId" in said or "AccessDenied" in said:
        return "correct LESIONGAN_S3_ACCESS_KEY and _SECRET_KEY, or what the key may do"
    if "RequestTimeTooSkewed" in said:
        return "set the clocks of this machine and of the store by NTP"
    return "start it, or correct LESIONGAN_S3_ENDPOINT and LESIONGAN_S3_SECURE"
