"""Small requests that wait together share a forward pass, and are cancelled one by one."""

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from services.gan import handlers
from services.gan.domain.generator import Generator
from services.gan.domain.memorisation import Bounds
from services.gan.domain.neighbours import place
from services.gan.domain.reference import load_reference, save_reference
from services.gan.domain.sampling import sample
from services.gan.hot import hot_generator
from services.gan.references import REFERENCE, put_file
from services.gan.settings import GanSettings
from services.gan.store import file_of
from services.gan.store import get as gan_row
from services.gan.together import KeptImages
from shared.datasets import reading
from tests.integration.gan.test_training import QUICK, _dataset, _train
from tests.integration.services.bench import Bench


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


#: What the GAN has "seen" in the test below: by seed and index, the draws that are copies.
COPIES = {(11, 0): 1, (12, 1): 2, (12, 2): 1}


@pytest.fixture
def strict(bench: Bench, gan: str) -> str:
    """The GAN, among whose training images are now some of its own draws."""
    store = bench.ports.store
    with bench.ports.sessions() as session:
        row, file = gan_row(session, gan), file_of(session, gan, REFERENCE)
    assert file is not None
    generator, precision = hot_generator(store, row, GanSettings())
    named = [(*image, draw) for image, draws in COPIES.items() for draw in range(draws)]
    label = row.categories.index("liver")
    made = [
        sample(generator, [label], seed=seed, indices=[index], draws=[draw], precision=precision)
        for seed, index, draw in named
    ]
    known = load_reference(store.get(file.key))
    learnt = place(known.space, np.concatenate(made), np.full(len(made), label))
    the_same_alone = Bounds("val", 20, 1e-3, 1.0, 1.0)
    changed = save_reference(replace(known, train=learnt, bounds=the_same_alone))
    with bench.ports.sessions() as session:
        session.merge(put_file(store, gan, REFERENCE, changed, "safetensors"))
        session.commit()
    return gan


def manifest(bench: Bench, job_id: str) -> dict[str, Any]:
    target = bench.client.get(f"/jobs/{job_id}").json()["output"]["dataset"]
    archive = bench.client.get(f"/datasets/{target}/archive").content
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        found: dict[str, Any] = json.loads(opened.read("manifest.json"))
    return found


def test_copies_are_drawn_again_for_each_job_by_itself(
    bench: Bench, strict: str, passes: list[int]
) -> None:
    seeds = (10, 11, 12, 13)
    # Of other sizes, since equal requests are one job; each is run before the next is there.
    alone = {}
    for seed in seeds:
        alone[seed] = ask(bench, strict, seed=seed, n=5)
        assert bench.run(alone[seed]).status == "succeeded"
    del passes[:]
    jobs = {seed: ask(bench, strict, seed=seed, n=3) for seed in seeds}
    redrawn = {}
    for seed, job_id in jobs.items():
        done = bench.run(job_id)
        assert done.status == "succeeded", done.error
        redrawn[seed] = (done.output or {})["redrawn"]
    assert redrawn == {10: 0, 11: 1, 12: 3, 13: 0}
    assert len(passes) == 1 + 1 + 2, "one for all, one for job 11, two for job 12"
    for seed, job_id in jobs.items():
        assert pngs(bench, job_id) == pngs(bench, alone[seed])[:3], "as alone"
        of_each = manifest(bench, job_id)["images"]
        assert [each["draw"] for each in of_each] == [
            COPIES.get((seed, index), 0) for index in range(3)
        ]
    assert len({png for job_id in jobs.values() for png in pngs(bench, job_id)}) == 12


def test_what_was_drawn_again_beside_others_is_made_again_alone(
    bench: Bench, strict: str, passes: list[int]
) -> None:
    jobs = [ask(bench, strict, seed=seed, n=3) for seed in (13, 12)]
    for job_id in jobs:
        assert bench.run(job_id).status == "succeeded"
    assert passes, "they were sampled here"
    asked = {"manifest": manifest(bench, jobs[1]), "indices": [0, 1, 2]}
    again = bench.post("/regenerate", asked)
    done = bench.run(again)
    assert done.status == "succeeded", done.error
    assert (done.output or {})["identical"] == 3
    assert pngs(bench, again) == pngs(bench, jobs[1])
