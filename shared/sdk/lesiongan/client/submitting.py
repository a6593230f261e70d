"""Calls that make jobs: the same request is the same job, however often it must be sent."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lesiongan.client.transport import Call, Transport
from lesiongan.contracts.base import Command
from lesiongan.contracts.jobs import Estimate, Job


def submit(call: Call, transport: Transport) -> Job:
    """The job that ``call`` makes, or that it made before."""
    return transport.read(call.with_idempotency_key(), Job)


def estimate(call: Call, transport: Transport) -> Estimate:
    """What ``call`` would cost; nothing is made."""
    return transport.read(replace(call, params={**call.params, "dry_run": "true"}), Estimate)


def post_command(path: str, command: Command) -> Call:
    """``POST path`` with what was set of ``command``; the server knows the defaults."""
    return Call(method="POST", path=path, json=command.model_dump(mode="json", exclude_unset=True))


def post_query(path: str, query: Mapping[str, Any]) -> Call:
    """``POST path?query`` without a body."""
    return Call(method="POST", path=path, params=query)
