"""``python -m tests.benchmarks.preprocessing_scaling``: one worker process beside two.

The parts of a preprocessing on real servers, in turns by one process and by two, which are warm.
Only where the machine has a core for each, and the servers little else to do, can two be twice as
fast.
"""

import statistics
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import cv2
from sqlalchemy import select

from deploy.local.servers import erase, start_servers
from services.worker import find_task
from shared.datasets import parts
from shared.db.tables import JobParentRow
from shared.ids import new_id
from shared.jobs.submit import NewJob, submit
from shared.settings import Settings
from shared.worker.ports import Ports
from shared.worker.runner import JobRunner
from tests.benchmarks.data_plane.slices import Slices
from tests.benchmarks.preprocessing_speed import ALIKE, ingested, ports_of, settings_of

SLICES = 1000
#: Of a part: so that there are as many as eight.
PART_SLICES = 125
ROUNDS = 3

_here: list[Ports] = []


def main() -> None:
    """Print slices a second of both, and the ratio."""
    parts.PART_IMAGES = PART_SLICES
    home = Path(tempfile.mkdtemp(prefix="preprocessing-"))
    try:
        with start_servers(home) as servers:
            settings = settings_of(servers)
            ports = ports_of(settings)
            archive = home / "slices.zip"
            Slices().write_zip(archive, SLICES)
            _compare(ports, settings, ingested(ports, archive.read_bytes()))
    finally:
        erase(home)


def _compare(ports: Ports, settings: Settings, raw: str) -> None:
    with _pool(settings, 1) as one, _pool(settings, 2) as two:
        for pool in (one, two):
            _seconds(pool, ports, raw)  # warm from here on
        rounds = [(_seconds(one, ports, raw), _seconds(two, ports, raw)) for _ in range(ROUNDS)]
    ratios = sorted(alone / both for alone, both in rounds)
    alone, both = (SLICES / statistics.median(each[place] for each in rounds) for place in (0, 1))
    sys.stdout.write(
        f"one worker {alone:.0f} slices/s, two {both:.0f}/s; ratio {statistics.median(ratios):.2f} "
        f"(min {ratios[0]:.2f}, max {ratios[-1]:.2f}, n = {ROUNDS})\n"
    )


def _pool(settings: Settings, workers: int) -> ProcessPoolExecutor:
    context = get_context("spawn")
    return ProcessPoolExecutor(workers, context, initializer=_start, initargs=(settings,))


def _start(settings: Settings) -> None:
    cv2.setNumThreads(1)
    _here.append(ports_of(settings))


def _run(job_id: str) -> None:
    JobRunner(_here[0], find_task, worker=new_id("worker")).run(job_id)


def _seconds(pool: ProcessPoolExecutor, ports: Ports, raw: str) -> float:
    job_ids = _divided(ports, raw)
    started = time.perf_counter()
    list(pool.map(_run, job_ids))
    return time.perf_counter() - started


def _divided(ports: Ports, raw: str) -> list[str]:
    """The jobs of the parts of a preprocessing."""
    given = {"dataset": raw, "split": ALIKE}
    new = NewJob(kind="preprocess", queue="preprocessing", input=given, target=new_id("ds"))
    with ports.sessions() as session:
        job_id = submit(session, lambda _: new, key_id=None).job.id
        session.commit()
    JobRunner(ports, find_task, worker="benchmark").run(job_id)
    with ports.sessions() as session:
        query = select(JobParentRow.parent_id).where(JobParentRow.job_id == job_id)
        return list(session.scalars(query))


if __name__ == "__main__":
    main()
