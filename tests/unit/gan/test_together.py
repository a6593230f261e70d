"""Images of several jobs in one batch are what each would be alone."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from services.gan.domain.config import Architecture
from services.gan.domain.generator import Generator
from services.gan.domain.layers import initialise
from services.gan.domain.sampling import sample, sampling_batch
from services.gan.domain.weights import load_weights, save_weights
from services.gan.together import KeptImages, Wanted, fitting, places_left, sample_together
from shared.compute.precision import Precision


@pytest.fixture
def generator(architecture: Architecture) -> Generator:
    generator = Generator(architecture)
    initialise(generator, torch.Generator().manual_seed(0))
    return load_weights(save_weights(generator))[0]


def test_each_job_gets_its_own_images(generator: Generator, precision: Precision) -> None:
    own = Wanted("a", 1, [0, 2, 1], first=40)
    others = [Wanted("b", 9, [1]), Wanted("c", 1, [2, 2])]
    kept = KeptImages(at_most=8)
    batches = list(
        sample_together(generator, own, others, kept, precision=precision, truncation=None)
    )
    assert len(batches) == 1, "one forward pass"
    alone = sample(generator, [0, 2, 1], seed=1, indices=[40, 41, 42], precision=precision)
    np.testing.assert_array_equal(batches[0], alone)
    for job in others:
        places = range(len(job.labels))
        alone = sample(generator, job.labels, seed=job.seed, indices=places, precision=precision)
        np.testing.assert_array_equal(kept.take(job.job_id), alone)


def test_a_large_job_takes_others_into_its_last_batch(
    generator: Generator, precision: Precision
) -> None:
    size = sampling_batch(generator.architecture, "cpu")
    own = Wanted("a", 1, [0] * (size + 2))
    kept = KeptImages(at_most=8)
    others = [Wanted("b", 9, [1])]
    found = sample_together(generator, own, others, kept, precision=precision, truncation=1.0)
    assert len(next(found)) == size
    assert "b" not in kept, "its batch is not made yet"
    assert len(next(found)) == 2
    assert "b" in kept


@given(st.integers(1, 200), st.sampled_from(["cpu", "cuda"]))
def test_places_left_fill_the_last_batch(images: int, device: str) -> None:
    architecture = Architecture(image_size=32, categories=("liver",), width=4, latent_size=8)
    generator = Generator(architecture)
    size = sampling_batch(architecture, device)
    precision = Precision(device=device, dtype_name="float32", threads=1)
    left = places_left(generator, images, precision)
    assert 0 <= left < size
    assert (images + left) % size == 0


@given(st.lists(st.integers(1, 9), max_size=12), st.integers(0, 31))
def test_only_whole_jobs_are_chosen_as_long_as_they_fit(sizes: list[int], places: int) -> None:
    jobs = [Wanted(str(number), 0, [0] * size) for number, size in enumerate(sizes)]
    chosen = fitting(jobs, places)
    taken = sum(len(job.labels) for job in chosen)
    assert taken <= places
    assert [job for job in jobs if job in chosen] == chosen, "in their order"
    for job in jobs:
        assert job in chosen or len(job.labels) > places - taken


def test_what_nobody_comes_for_is_dropped() -> None:
    kept = KeptImages(at_most=2)
    image = np.zeros((1, 1, 2, 2), dtype=np.uint8)
    for job in "abc":
        kept.put(job, image)
    assert kept.take("a") is None
    assert kept.take("c") is not None
    assert kept.take("c") is None, "once"
