"""The process that delivers: killed, stopped, and seen to be well."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.servers import Servers
from shared.db.engine import Sessions
from tests.integration.webhooks.builders import (
    add_webhook,
    deliveries,
    delivering,
    end_job,
    logged,
    make_due,
    wait_until,
)
from tests.integration.webhooks.receiver import Receiver


@contextmanager
def process(servers: Servers, pulse: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        **os.environ,
        **servers.environment,
        "LESIONGAN_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
        "LESIONGAN_PULSE_FILE": str(pulse),
    }
    command = (sys.executable, "-m", "shared.worker.deliver")
    with subprocess.Popen(command, env=environment) as started:
        try:
            yield started
        finally:
            started.kill()


def test_a_process_that_is_killed_in_the_middle_loses_nothing(
    sessions: Sessions, servers: Servers, receiver: Receiver, tmp_path: Path
) -> None:
    add_webhook(sessions, receiver.url)
    receiver.open.clear()
    with process(servers, tmp_path / "pulse") as started:
        end_job(sessions)
        receiver.wait_for(1)
        started.kill()
        started.wait()
    (row,) = deliveries(sessions)
    assert (row.status, row.log) == ("pending", [])
    receiver.open.set()
    make_due(sessions)
    with delivering(sessions):
        assert logged(sessions).status == "delivered"
    first, second = receiver.received
    assert first.id == second.id
    assert first.body == second.body


def test_a_process_delivers_beats_and_stops_when_it_is_asked(
    sessions: Sessions, servers: Servers, receiver: Receiver, tmp_path: Path
) -> None:
    add_webhook(sessions, receiver.url)
    with process(servers, tmp_path / "pulse") as started:
        end_job(sessions)
        receiver.wait_for(1)
        wait_until(lambda: deliveries(sessions)[0].status == "delivered", "it is not written down")
        assert (tmp_path / "pulse").exists()
        receiver.open.clear()
        end_job(sessions)
        receiver.wait_for(2)
        started.terminate()
        assert started.wait(10) == 0, "a receiver that hangs does not keep it"
