"""Calls that make jobs: the same request is the same job, however often it must be sent."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lesiongan.client.call import Call
from lesiongan.client.exchange import Exchange
from lesiongan.client.flow import Flow
from lesiongan.contracts.base import Command
from lesiongan.contracts.jobs import Estimate, Job


def submit(exchange: Exchange, call: Call, key: str | None = None) -> Flow[Job]:
    """The job that ``call`` makes, or that it made before.

    ``key`` is the Idempotency-Key; without one, each call has its own, which its retries share.
    """
    return exchange.read(call.with_idempotency_key(key), Job)


def estimate(exchange: Exchange, call: Call) -> Flow[Estimate]:
    """What ``call`` would cost; nothing is made."""
    return exchange.read(replace(call, params={**call.params, "dry_run": "true"}), Estimate)


def post_command(path: str, command: Command) -> Call:
    """``POST path`` with what was set of ``command``; the server knows the defaults."""
    return Call(method="POST", path=path, json=command.model_dump(mode="json", exclude_unset=True))


def post_query(path: str, query: Mapping[str, Any]) -> Call:
    """``POST path?query`` without a body."""
    return Call(method="POST", path=path, params=query)
