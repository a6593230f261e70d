"""What goes wrong with the embedded stack, as one line for the person who started it."""

from __future__ import annotations

from pathlib import Path

TAIL_LINES = 8


class StackError(Exception):
    """The stack cannot do what was asked; the message is one clear sentence."""


def ended_at_start(name: str, code: int, log: Path) -> StackError:
    """The error of a process that ended before it was ready: names its log, shows its end."""
    how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
    return StackError(f"{name} {how} while it started; see {log}{_quoted(log)}")


def ended_early(name: str, log: Path) -> StackError:
    """The error of a process that went away without saying why."""
    return StackError(f"{name} ended unexpectedly; see {log}{_quoted(log)}")


def too_slow(name: str, seconds: float, log: Path) -> StackError:
    """The error of a process that lives but was not ready in time."""
    return StackError(f"{name} was not ready after {seconds:.0f} s; see {log}{_quoted(log)}")


def _quoted(log: Path) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return ""
    kept = [line for line in lines if line.strip()][-TAIL_LINES:]
    return ":\n  " + "\n  ".join(kept) if kept else ""
