"""Starting, recognising and ending processes.

A child dies with its supervisor (Linux: PR_SET_PDEATHSIG), and leads a process group, so that
what it started itself is ended with it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path

import psutil

from deploy.local.program import Program

PR_SET_PDEATHSIG = 1
LOG_LIMIT_BYTES = 20 * 2**20
# The kernel counts a process's start in ticks since boot; the boot time read may move a little.
CREATE_TIME_TOLERANCE_SECONDS = 2.0


def spawn(program: Program) -> subprocess.Popen[bytes]:
    """Start `program`. Call from a thread that lives as long as the child should (the main one)."""
    _shorten(program.log)
    account = program.account
    with program.log.open("ab") as log:
        return subprocess.Popen(
            program.command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=program.folder,
            env=dict(program.environment),
            process_group=0,
            umask=program.umask,
            preexec_fn=die_with_parent(program.death_signal),  # noqa: PLW1509 - no lock is taken in it
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the group that `process` led, and reap it."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def create_time(pid: int) -> float:
    """When the process was started (seconds since 1970); 0.0 if it is gone already."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return 0.0


def find(pid: int, created: float) -> psutil.Process | None:
    """The living process `pid` if it is the one started at `created`, not a later namesake."""
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - created) <= CREATE_TIME_TOLERANCE_SECONDS
    except psutil.NoSuchProcess:
        return None
    return process if same and is_alive(process) else None


def is_alive(process: psutil.Process) -> bool:
    """Whether it runs; one that ended and that nobody has asked about (a zombie) does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def kill_trees(processes: Iterable[psutil.Process], patience_seconds: float = 10.0) -> None:
    """Kill these processes and everything below them, and wait until they are gone."""
    doomed: set[psutil.Process] = set()
    for process in processes:
        try:
            doomed.update(process.children(recursive=True))
        except psutil.NoSuchProcess:
            continue
        doomed.add(process)
    for process in doomed:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    wait_gone(doomed, patience_seconds)


def wait_gone(processes: Iterable[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Wait until these have ended (a zombie has); those that are still alive then."""
    end = time.monotonic() + seconds
    alive = list(processes)
    while True:
        alive = [process for process in alive if is_alive(process)]
        if not alive or time.monotonic() > end:
            return alive
        time.sleep(0.02)


def die_with_parent(death_signal: signal.Signals) -> Callable[[], None] | None:
    """For `preexec_fn`: the kernel signals the child when this thread ends. None outside Linux."""
    if sys.platform != "linux":
        return None
    prctl = _libc().prctl
    parent = os.getpid()

    def in_child() -> None:
        prctl(PR_SET_PDEATHSIG, int(death_signal))
        if os.getppid() != parent:  # it died before the kernel knew what to do then
            os._exit(1)

    return in_child


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _shorten(log: Path) -> None:
    if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
        log.replace(log.with_suffix(".log.1"))
