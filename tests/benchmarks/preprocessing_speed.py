"""Preprocessing beside the decoding of its PNGs alone, which no way of doing it could leave out.

One core, on real servers, in turns: cv2 decodes every slice from memory; then the job itself runs,
from reading shards to storing its own.
"""

import statistics
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from deploy.local.servers import erase, start_servers
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
            names = {
                n.removeprefix("LESIONGAN_").lower(): v for n, v in servers.environment.items()
            }
            settings = Settings.model_validate(names)
            prepare(settings)
            engine = make_engine(settings.database_url)
            ports = Ports(
                settings=settings,
                sessions=make_sessions(engine),
                store=S3Store(settings),
                bell=CeleryDoorbell(settings),
            )
            _compare(ports, home / "slices.zip")
            engine.dispose()
    finally:
        erase(home)


def _compare(ports: Ports, archive: Path) -> None:
    lesions = Slices().write_zip(archive, SLICES)
    with zipfile.ZipFile(archive) as opened:
        pngs = [opened.read(name) for name in opened.namelist() if name.endswith(".png")]
    size = sum(map(len, pngs)) / len(pngs) / 1024
    raw = _ingested(ports, archive.read_bytes())
    _seconds(ports, raw)  # connections and caches are warm from here on
    pairs = [(_decoding_seconds(pngs), _seconds(ports, raw)) for _ in range(ROUNDS)]
    ratios = sorted(decoding / whole for decoding, whole in pairs)
    alone, whole = (statistics.median(pair[place] for pair in pairs) for place in (0, 1))
    sys.stdout.write(
        f"preprocess {SLICES} slices of {size:.0f} KiB ({lesions} lesions) to 64 px on one core: "
        f"{SLICES / whole:.0f} slices/s; decoding alone {SLICES / alone:.0f}/s; "
        f"ratio {statistics.median(ratios):.1%} "
        f"(min {ratios[0]:.1%}, max {ratios[-1]:.1%}, n = {ROUNDS})\n"
    )


def _decoding_seconds(pngs: list[bytes]) -> float:
    started = time.perf_counter()
    for png in pngs:
        cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    return time.perf_counter() - started


def _ingested(ports: Ports, archive: bytes) -> str:
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


def _seconds(ports: Ports, raw: str) -> float:
    started = time.perf_counter()
    _made(ports, "preprocess", {"dataset": raw, "split": ALIKE})
    return time.perf_counter() - started


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
