"""One training at a time on a device."""

import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.db.engine import Sessions
from shared.errors import BadInput
from shared.jobs import devices, ledger, sweep
from shared.jobs.context import JobContext, Outcome
from shared.queue.celery import CeleryDoorbell
from shared.settings import Settings
from shared.storage.s3 import S3Store
from shared.worker import device_memory
from shared.worker.ports import Ports
from shared.worker.runner import JobRunner
from tests.integration.shared.builders import claimed, committed, queued, row, silence

GPU = "gpu-0"


def test_a_second_training_waits_for_the_device(sessions: Sessions) -> None:
    first, second = queued(sessions, exclusive=True), queued(sessions, exclusive=True)
    claim = claimed(sessions, first, device=GPU)
    assert claim is not None
    assert claim.device == GPU
    assert claimed(sessions, second, device=GPU) is None
    assert (row(sessions, second).status, row(sessions, second).attempts) == ("queued", 0)
    committed(sessions, lambda session: ledger.succeed(session, claim, {}))
    assert claimed(sessions, second, device=GPU) is not None


def test_another_device_and_other_work_do_not_wait(sessions: Sessions) -> None:
    assert claimed(sessions, queued(sessions, exclusive=True), device=GPU)
    assert claimed(sessions, queued(sessions, exclusive=True), device="gpu-1")
    assert claimed(sessions, queued(sessions), device=GPU), "sampling stays hot beside a training"
    assert claimed(sessions, queued(sessions, exclusive=True)), "without a GPU the cores are shared"


def test_a_silent_worker_keeps_its_device_until_the_sweeper_has_found_it(
    sessions: Sessions,
) -> None:
    first, second = queued(sessions, exclusive=True), queued(sessions, exclusive=True)
    assert claimed(sessions, first, device=GPU)
    silence(sessions, first)
    assert claimed(sessions, second, device=GPU) is None
    assert committed(sessions, sweep.requeue_expired) == 1
    assert claimed(sessions, second, device=GPU)


def test_the_one_that_waited_longest_is_next(sessions: Sessions) -> None:
    first, second, third = (queued(sessions, exclusive=True) for _ in range(3))
    claim = claimed(sessions, first, device=GPU)
    assert claim is not None
    for job_id in (third, second):
        assert claimed(sessions, job_id, device=GPU) is None
    with sessions() as session:
        chosen = devices.next_for(session, GPU)
        assert chosen is not None
        assert chosen.id == second
        assert devices.next_for(session, "gpu-1") is None


def test_of_many_workers_one_takes_the_device(sessions: Sessions) -> None:
    jobs = [queued(sessions, exclusive=True) for _ in range(8)]
    start = threading.Barrier(len(jobs))

    def race(job_id: str) -> bool:
        start.wait()
        return claimed(sessions, job_id, device=GPU) is not None

    with ThreadPoolExecutor(len(jobs)) as pool:
        assert sum(pool.map(race, jobs)) == 1


def test_the_end_of_a_training_rings_for_the_next(
    settings: Settings, sessions: Sessions, store: S3Store, bell: CeleryDoorbell
) -> None:
    ports = Ports(settings=settings, sessions=sessions, store=store, bell=bell)
    first = queued(sessions, exclusive=True)
    second = queued(sessions, exclusive=True)
    depths: list[int | None] = []

    def work(job: JobContext, ports: Ports) -> Outcome:
        assert claimed(sessions, second, device=GPU) is None
        depths.append(bell.depth("default"))
        return Outcome({})

    JobRunner(ports, lambda _: work, worker="w", find_device=lambda: GPU).run(first)
    assert [*depths, bell.depth("default")] == [0, 1]


class Weights:
    """Stands for what a training holds on the device."""


@pytest.mark.parametrize("fails", [True, False])
def test_a_training_gives_its_memory_back_when_nothing_holds_it_any_more(
    settings: Settings,
    sessions: Sessions,
    store: S3Store,
    bell: CeleryDoorbell,
    monkeypatch: pytest.MonkeyPatch,
    *,
    fails: bool,
) -> None:
    ports = Ports(settings=settings, sessions=sessions, store=store, bell=bell)
    held: list[weakref.ref[Weights]] = []
    left: list[object] = []
    monkeypatch.setattr(device_memory, "give_back", lambda: left.append(held[0]()))

    def work(job: JobContext, ports: Ports) -> Outcome:
        weights = Weights()
        held.append(weakref.ref(weights))
        if fails:
            raise BadInput("no training images")
        return Outcome({})

    job_id = queued(sessions, exclusive=True)
    JobRunner(ports, lambda _: work, worker="w", find_device=lambda: GPU).run(job_id)
    assert left == [None]
