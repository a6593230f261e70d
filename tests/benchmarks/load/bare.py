"""The least that a submit could cost: one INSERT, committed, and one push to Redis."""

import time

import psycopg
from psycopg.types.json import Jsonb
from redis import Redis

from shared.ids import new_id

_INSERT = (
    "INSERT INTO jobs (id, kind, queue, status, input, done, total, unit, attempts, stalls, "
    "adopted, exclusive, cancel_requested, device_seconds, created_at, rung_at) "
    "VALUES (%s, 'preprocess', 'bare', 'queued', %s, 0, 0, 'image', 0, 0, "
    "false, false, false, 0, clock_timestamp(), clock_timestamp())"
)


def bare_rate(database_url: str, redis_url: str, seconds: float) -> float:
    """Per second, on one connection to each, one after the other."""
    dsn = database_url.replace("postgresql+psycopg://", "postgresql://", 1)
    done = 0
    with psycopg.connect(dsn, autocommit=True) as connection, Redis.from_url(redis_url) as redis:
        ended = time.perf_counter() + seconds
        started = time.perf_counter()
        while time.perf_counter() < ended:
            job_id = new_id("job")
            connection.execute(_INSERT, (job_id, Jsonb({"dataset": "ds_0"})))
            redis.lpush("bare", job_id)
            done += 1
        elapsed = time.perf_counter() - started
        connection.execute("DELETE FROM jobs WHERE queue = 'bare'")
        redis.delete("bare")
    return done / elapsed
