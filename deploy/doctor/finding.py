"""What a check found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """One sentence on one thing, and what to do if it is not well. It names no secret."""

    check: str
    level: Level
    said: str
    todo: str = ""


Findings = Iterator[Finding]


def ok(check: str, said: str) -> Finding:
    return Finding(check, "ok", said)


def warning(check: str, said: str, todo: str) -> Finding:
    return Finding(check, "warning", said, todo)


def error(check: str, said: str, todo: str) -> Finding:
    return Finding(check, "error", said, todo)
