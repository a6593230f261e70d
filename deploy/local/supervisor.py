"""Keeps a list of programs running: starts them in order, starts again what dies, stops all.

One thread and no signals of its own, so that whoever drives it (the detached supervisor, a test)
decides when it looks (`step`) and when it ends (`stop`).
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

from deploy.local.failures import StackError, ended_at_start, too_slow
from deploy.local.processes import end_group, spawn
from deploy.local.program import Program

FIRST_DELAY_SECONDS = 0.2
LONGEST_DELAY_SECONDS = 5.0
# A process that lived so long did not die of how it was started.
HEALTHY_LIFE_SECONDS = 30.0


@dataclass(slots=True)
class Slot:
    """The state of one program."""

    program: Program
    process: subprocess.Popen[bytes] | None = None
    ready: bool = False
    was_ready: bool = False
    failures: int = 0
    started_at: float = 0.0
    start_not_before: float = 0.0


class Supervisor:
    """Runs programs; `on_change` is called whenever a process began, became ready or ended."""

    def __init__(self, programs: Iterable[Program], on_change: Callable[[], None]) -> None:
        self._slots = {program.name: Slot(program) for program in programs}
        self._on_change = on_change

    @property
    def ready(self) -> bool:
        """Whether every program is ready now."""
        return all(slot.ready for slot in self._slots.values())

    @property
    def pids(self) -> dict[str, int]:
        """The lasting processes that run now."""
        return {
            name: slot.process.pid
            for name, slot in self._slots.items()
            if slot.process is not None and not slot.program.once
        }

    def step(self) -> None:
        """Look at every program once. Raises StackError when one cannot be started at all."""
        for slot in self._slots.values():
            if slot.process is not None:
                self._look_at(slot)
            elif not slot.ready and self._may_start(slot):
                self._start(slot)

    def run_until_ready(self, pause_seconds: float = 0.05) -> None:
        """Step until everything is ready. Raises StackError."""
        while not self.ready:
            self.step()
            time.sleep(pause_seconds)

    def stop(self) -> None:
        """End everything, dependents before what they depend on; it returns when all has ended."""
        depths = {name: self._depth(name) for name in self._slots}
        for depth in sorted(set(depths.values()), reverse=True):
            self._stop_together([self._slots[name] for name in depths if depths[name] == depth])
        self._on_change()

    def _may_start(self, slot: Slot) -> bool:
        waits_for = [self._slots[name] for name in slot.program.after if name in self._slots]
        return time.monotonic() >= slot.start_not_before and all(one.was_ready for one in waits_for)

    def _start(self, slot: Slot) -> None:
        slot.started_at = time.monotonic()
        try:
            slot.program.before()
            slot.process = spawn(slot.program)
        except OSError as error:
            self._failed(slot, StackError(f"{slot.program.name} cannot be started: {error}"))
        self._on_change()

    def _look_at(self, slot: Slot) -> None:
        assert slot.process is not None
        code = slot.process.poll()
        if code is not None:
            self._ended(slot, code)
        elif not slot.ready and not slot.program.once:
            if slot.program.ready():
                slot.ready = slot.was_ready = True
                self._on_change()
            elif time.monotonic() - slot.started_at > slot.program.ready_seconds:
                self._was_too_slow(slot)

    def _ended(self, slot: Slot, code: int) -> None:
        assert slot.process is not None
        end_group(slot.process)
        slot.process = None
        slot.ready = slot.program.once and code == 0
        slot.was_ready |= slot.ready
        self._on_change()
        if not slot.ready:
            self._failed(slot, ended_at_start(slot.program.name, code, slot.program.log))

    def _failed(self, slot: Slot, error: StackError) -> None:
        """Plan the next attempt, or raise `error` when there were enough and none succeeded."""
        if time.monotonic() - slot.started_at > HEALTHY_LIFE_SECONDS:
            slot.failures = 0
        slot.failures += 1
        if not slot.was_ready and slot.failures >= slot.program.start_attempts:
            raise error
        delay = min(FIRST_DELAY_SECONDS * 2 ** (slot.failures - 1), LONGEST_DELAY_SECONDS)
        slot.start_not_before = time.monotonic() + delay

    def _was_too_slow(self, slot: Slot) -> None:
        if not slot.was_ready:
            raise too_slow(slot.program.name, slot.program.ready_seconds, slot.program.log)
        assert slot.process is not None
        slot.process.kill()  # seen as ended, and started again, at the next step

    def _depth(self, name: str) -> int:
        if name not in self._slots:
            return -1
        return 1 + max((self._depth(one) for one in self._slots[name].program.after), default=-1)

    def _stop_together(self, slots: list[Slot]) -> None:
        stopping = [(slot, slot.process) for slot in slots if slot.process is not None]
        for slot, process in stopping:
            if process.poll() is None:
                process.send_signal(slot.program.stop_signal)
        begun = time.monotonic()
        for slot, process in stopping:
            left = begun + slot.program.stop_seconds - time.monotonic()
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=max(left, 0.01))
            end_group(process)
            slot.process, slot.ready = None, False
