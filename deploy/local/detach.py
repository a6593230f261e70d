"""`python -m deploy.local.detach HOME [OPTIONS]` starts the supervisor and prints its pid.

The supervisor leads its own session, with its output in its log and as no child of the caller:
it outlives the terminal, and the caller has no process to wait for.
"""

from __future__ import annotations

import os
import subprocess
import sys


def main() -> None:
    """Start it and leave at once."""
    supervisor = subprocess.Popen(
        (sys.executable, "-m", "deploy.local.supervise", *sys.argv[1:]),
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        stderr=sys.stderr,
        start_new_session=True,
    )
    sys.stdout.write(f"{supervisor.pid}\n")
    sys.stdout.flush()
    # Not by the ordinary way out, which would complain of a child that is still running.
    os._exit(0)


if __name__ == "__main__":
    main()
