"""Mutated uploads over HTTP, with a real worker: every one ends, with a report or a reason."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from deploy.local.processes import die_with_parent
from deploy.local.servers import Servers
from tests.fuzz.mutations import uploads
from tests.fuzz.shooting import MEMORY_LIMIT_BYTES
from tests.live import LiveApi

UPLOADS = int(os.environ.get("LESIONGAN_FUZZ_UPLOADS", "24"))
#: So many are under way at once.
AHEAD = 12
ENDED = {"succeeded", "failed"}


@pytest.fixture(scope="module")
def worker(
    servers: Servers, target: LiveApi, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[psutil.Process, Path]]:
    """A worker of the queue that takes data sets in, with a temporary folder of its own."""
    folder = tmp_path_factory.mktemp("worker")
    scratch = folder / "scratch"
    scratch.mkdir()
    with (folder / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            (sys.executable, "-m", "services.worker", "--queues", "preprocessing"),
            env={**os.environ, **servers.environment, "TMPDIR": str(scratch)},
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - no lock is taken in it
        )
    yield psutil.Process(process.pid), folder
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def within_memory(*processes: psutil.Process) -> Iterator[None]:
    """Fails if a process held more than the limit above what it held before (Linux: VmHWM)."""
    before = []
    for process in processes:
        Path(f"/proc/{process.pid}/clear_refs").write_text("5")
        before.append(_peak_bytes(process))
    yield
    above = [_peak_bytes(p) - held for p, held in zip(processes, before, strict=True)]
    sys.stdout.write(f"MiB above idle: {', '.join(str(each >> 20) for each in above)}\n")
    assert max(above) <= MEMORY_LIMIT_BYTES


def _peak_bytes(process: psutil.Process) -> int:
    status = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) * 1024


@pytest.mark.timeout(3600)
def test_every_upload_ends_with_a_report_or_a_reason(
    target: LiveApi, worker: tuple[psutil.Process, Path]
) -> None:
    process, folder = worker
    sent = 0
    with target.client() as client:
        _, sound = next(iter(uploads(1, seed=-1, heavy=False)))
        assert _ended(client, _send(client, sound.data, sound.layout)), "the worker is warm"
        with within_memory(process, psutil.Process(target.pid)):
            waiting: list[str] = []
            for mutation, upload in uploads(UPLOADS, seed=0, heavy=UPLOADS > 100):
                answer = _send(client, upload.data, upload.layout)
                assert answer.status_code < 500, (mutation, answer.text)
                if answer.status_code == 202:
                    waiting.append(answer.json()["id"])
                    sent += 1
                if len(waiting) > AHEAD:
                    _check(_job(client, waiting.pop(0)))
            for job in waiting:
                _check(_job(client, job))
    assert sent >= UPLOADS * 0.9
    assert process.is_running(), "the worker lives"
    log = (folder / "worker.log").read_text()
    assert "Traceback" not in log, log
    assert [
        each.name for each in folder.iterdir() if each.name not in {"worker.log", "scratch"}
    ] == []
    assert list((folder / "scratch").iterdir()) == []


def _send(client: httpx.Client, data: bytes, layout: str) -> httpx.Response:
    form = {"layout": layout, "name": "hostile"}
    return client.post("/datasets", data=form, files={"file": ("upload.zip", data)})


def _ended(client: httpx.Client, answer: httpx.Response) -> dict[str, object]:
    return _job(client, answer.json()["id"])


def _job(client: httpx.Client, job_id: str) -> dict[str, object]:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        job: dict[str, object] = client.get(f"/jobs/{job_id}").json()
        if job["status"] in ENDED:
            return job
        time.sleep(0.05)
    raise AssertionError(f"{job_id} does not end: {job}")


def _check(job: dict[str, object]) -> None:
    if job["status"] == "succeeded":
        assert isinstance(job["output"], dict)
        assert str(job["output"]["dataset"]).startswith("ds_")
        return
    assert isinstance(job["error"], dict)
    assert job["error"]["title"] == "Invalid input", job
    assert job["error"]["detail"]
    assert job["attempts"] == 1, "what can never succeed is not tried again"
