"""Small requests that wait together share a forward pass, and are cancelled one by one."""

from collections.abc import Iterator

import httpx
import pytest
import torch

from services.gan import handlers
from services.gan.domain.generator import Generator
from services.gan.together import KeptImages
from shared.datasets import reading
from shared.worker.ports import Ports
from tests.integration.gan.test_training import QUICK, _dataset, _train
from tests.integration.services.bench import Bench


@pytest.fixture
def bench(ports: Ports, client: httpx.Client) -> Bench:
    return Bench(ports, client)


@pytest.fixture
def gan(bench: Bench) -> str:
    return _train(bench, _dataset(bench), **QUICK).id


@pytest.fixture
def passes(gan: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The sizes of all batches that generators make from here on."""
    found: list[int] = []

    def count(module: torch.nn.Module, _inputs: object, images: object) -> None:
        if isinstance(module, Generator) and isinstance(images, torch.Tensor):
            found.append(len(images))

    monkeypatch.setattr(handlers, "_kept", KeptImages(at_most=64))
    hook = torch.nn.modules.module.register_module_forward_hook(count)
    yield found
    hook.remove()


def ask(bench: Bench, gan: str, *, seed: int, n: int = 1, truncation: float | None = None) -> str:
    query: dict[str, str | float] = {"category": "liver", "n": n, "gan": gan, "seed": seed}
    if truncation is not None:
        query["truncation"] = truncation
    answer = bench.client.post("/generate", params=query)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def pngs(bench: Bench, job_id: str) -> list[bytes]:
    with bench.ports.sessions() as session:
        target = str(bench.client.get(f"/jobs/{job_id}").json()["output"]["dataset"])
        dataset = reading.open_dataset(session, bench.ports.store, target)
    return [png for _, png in reading.iterate(bench.ports.store, dataset, dataset.records)]


def test_one_forward_pass_for_all_that_wait(bench: Bench, gan: str, passes: list[int]) -> None:
    alone = ask(bench, gan, seed=1, n=8)
    assert bench.run(alone).status == "succeeded"
    del passes[:]
    jobs = [ask(bench, gan, seed=seed) for seed in (1, 2, 3)]
    jobs.append(ask(bench, gan, seed=4, n=3))
    for job_id in jobs:
        assert bench.run(job_id).status == "succeeded"
    assert len(passes) == 1
    assert pngs(bench, jobs[0]) == pngs(bench, alone)[:1], "the same bytes in other company"
    assert len({png for job_id in jobs for png in pngs(bench, job_id)}) == 6


def test_others_are_not_mixed_in(bench: Bench, gan: str, passes: list[int]) -> None:
    jobs = [ask(bench, gan, seed=5), ask(bench, gan, seed=5, truncation=0.5)]
    for job_id in jobs:
        assert bench.run(job_id).status == "succeeded"
    assert len(passes) == 2
    assert pngs(bench, jobs[0]) != pngs(bench, jobs[1])


def test_one_of_them_is_cancelled(bench: Bench, gan: str, passes: list[int]) -> None:
    first, second, third = (ask(bench, gan, seed=seed) for seed in (6, 7, 8))
    assert bench.run(first).status == "succeeded"
    assert bench.client.post(f"/jobs/{second}/cancel").json()["status"] == "cancelled"
    assert bench.run(second).status == "cancelled"
    assert bench.run(third).status == "succeeded"
    assert len(passes) == 1
