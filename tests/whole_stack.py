"""The whole embedded stack as a child that dies with us: `up` detaches its own, to outlive us."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deploy.local.processes import die_with_parent
from deploy.local.servers import erase
from deploy.local.stack import down, status, up


@contextmanager
def whole_stack(home: Path, **environment: str) -> Iterator[dict[str, Any]]:
    """What a running stack says of itself; stopped and its data erased with the context."""
    supervisor = _start_supervisor(home, environment)
    try:
        yield up(home, port=0)
    finally:
        down(home)
        supervisor.wait(30)
        erase(home)


def _start_supervisor(home: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    module = (sys.executable, "-m", "deploy.local.supervise", str(home), "--port", "0")
    # No thread of ours holds a lock when a test session's first fixture starts.
    supervisor = subprocess.Popen(
        module,
        env={**os.environ, **environment},
        preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509
        start_new_session=True,
    )
    while status(home).phase == "stopped":
        assert supervisor.poll() is None, "the supervisor ended"
        time.sleep(0.05)
    return supervisor
