"""Preprocessing beside the decoding of its PNGs alone, each as a whole.

One core, on real servers, in turns: cv2 decodes every slice from memory; then the job itself runs,
from reading shards to storing its own. It inflates a slice as far as the last row of its crops.
"""

import statistics
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from deploy.local.servers import Servers, erase, start_servers
from deploy.prepare import prepare
from services.worker import find_task
from shared.db.engine import make_engine, make_sessions
from shared.db.tables import JobRow, UploadRow
from shared.ids import new_id
from shared.jobs.submit import NewJob, submit
from shared.queue.celery import CeleryDoorbell
from shared.settings import Settings
from shared.storage.parts import part_key
from shared.storage.s3 import S3Store
from shared.worker.ports import Ports
from shared.worker.runner import JobRunner
from tests.benchmarks.data_plane.slices import Slices

SLICES = 1000
ROUNDS = 5
#: Some dozens of drawings lie below all slices.
ALIKE = {"allow_leakage": True}


def main() -> None:
    """Print images a second of both, and the ratio."""
    cv2.setNumThreads(1)
    home = Path(tempfile.mkdtemp(prefix="preprocessing-"))
    try:
        with start_servers(home) as servers:
            _compare(ports_of(settings_of(servers)), home / "slices.zip")
    finally:
        erase(home)


def settings_of(servers: Servers) -> Settings:
    """What finds these servers, which are made ready."""
    names = {n.removeprefix("LESIONGAN_").lower(): v for n, v in servers.environment.items()}
    settings = Settings.model_validate(names)
    prepare(settings)
    return settings


def ports_of(settings: Settings) -> Ports:
    """What a worker reaches them by."""
    return Ports(
        settings=settings,
        sessions=make_sessions(make_engine(settings.database_url)),
        store=S3Store(settings),
        bell=CeleryDoorbell(settings),
    )


def _compare(ports: Ports, archive: Path) -> None:
    lesions = Slices().write_zip(archive, SLICES)
    with zipfile.ZipFile(archive) as opened:
        pngs = [opened.read(name) for name in opened.namelist() if name.endswith(".png")]
    size = sum(map(len, pngs)) / len(pngs) / 1024
    raw = ingested(ports, archive.read_bytes())

    def decoding() -> None:
        for png in pngs:
            cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)

    def whole() -> None:
        _made(ports, "preprocess", {"dataset": raw, "split": ALIKE})

    whole()  # connections and caches are warm from here on
    rounds = [(_spent(decoding), _spent(whole)) for _ in range(ROUNDS)]
    sys.stdout.write(
        f"preprocess {SLICES} slices of {size:.0f} KiB ({lesions} lesions) to 64 px on one core\n"
    )
    for clock in Spent._fields:
        pairs = [(getattr(alone, clock), getattr(job, clock)) for alone, job in rounds]
        sys.stdout.write(f"by {clock.replace('_', ' ')}: {_compared(pairs)}\n")


def _compared(pairs: list[tuple[float, float]]) -> str:
    ratios = sorted(alone / job for alone, job in pairs)
    alone, job = (SLICES / statistics.median(pair[place] for pair in pairs) for place in (0, 1))
    return (
        f"{job:.0f} slices/s; decoding alone {alone:.0f}/s; ratio {statistics.median(ratios):.1%} "
        f"(min {ratios[0]:.1%}, max {ratios[-1]:.1%}, n = {len(ratios)})"
    )


class Spent(NamedTuple):
    """Seconds, by a clock on the wall and by this process' use of processors.

    On a machine that is busy with other work, only the second says what the work itself costs.
    """

    wall_clock: float
    processor_time: float


def _spent(work: Callable[[], None]) -> Spent:
    began, used = time.perf_counter(), time.process_time()
    work()
    return Spent(time.perf_counter() - began, time.process_time() - used)


def ingested(ports: Ports, archive: bytes) -> str:
    """The raw data set of an archive in DeepLesion's layout."""
    upload = UploadRow(
        id=new_id("up"), bytes=len(archive), parts=1, part_bytes=len(archive), sha256=""
    )
    ports.store.put(part_key(upload.id, 0), archive)
    with ports.sessions() as session:
        session.add(upload)
        session.commit()
        upload_id = upload.id
    given = {"name": "slices", "layout": "deeplesion", "upload": upload_id}
    return str(_made(ports, "ingest", given).target)


def _made(ports: Ports, kind: str, given: dict[str, Any]) -> JobRow:
    new = NewJob(kind=kind, queue="preprocessing", input=given, target=new_id("ds"))
    with ports.sessions() as session:
        job_id = submit(session, lambda _: new, key_id=None).job.id
        session.commit()
    JobRunner(ports, find_task, worker="benchmark").run(job_id)
    with ports.sessions() as session:
        row = session.get_one(JobRow, job_id)
        if row.status != "succeeded":
            sys.exit(f"{kind}: {row.status} {row.error}")
        return row


if __name__ == "__main__":
    main()
