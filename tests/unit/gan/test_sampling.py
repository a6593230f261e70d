from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch

from lesiongan.contracts.gans import IMAGE_SIZES
from services.gan.domain.config import Architecture
from services.gan.domain.generator import Generator
from services.gan.domain.layers import initialise
from services.gan.domain.preview import preview_grid, tile
from services.gan.domain.sampling import sample, sample_batches, sampling_batch
from services.gan.domain.weights import load_weights, save_weights
from shared.compute.precision import DTypeName, Precision
from shared.errors import BadInput


@pytest.fixture
def generator(architecture: Architecture) -> Generator:
    generator = Generator(architecture)
    initialise(generator, torch.Generator().manual_seed(0))
    return load_weights(save_weights(generator))[0]


@pytest.mark.parametrize("dtype_name", ["float32", "bfloat16"])
def test_an_image_is_the_same_bytes_alone_and_anywhere_in_a_batch(
    generator: Generator, dtype_name: DTypeName
) -> None:
    precision = Precision(device="cpu", dtype_name=dtype_name, threads=1)
    labels = [index % 3 for index in range(70)]
    together = sample(generator, labels, seed=5, indices=range(70), precision=precision)
    for index in (0, 1, 13, 31, 32, 63, 64, 69):
        alone = sample(generator, [index % 3], seed=5, indices=[index], precision=precision)
        np.testing.assert_array_equal(alone[0], together[index])
    backwards = sample(
        generator, labels[::-1], seed=5, indices=range(69, -1, -1), precision=precision
    )
    np.testing.assert_array_equal(backwards[::-1], together)


def test_seed_index_draw_and_label_each_change_the_image(
    generator: Generator, precision: Precision
) -> None:
    def one(label: int = 0, seed: int = 0, index: int = 0, draw: int = 0) -> bytes:
        images = sample(
            generator, [label], seed=seed, indices=[index], draws=[draw], precision=precision
        )
        return images.tobytes()

    images = {one(), one(label=1), one(seed=1), one(index=1), one(draw=1)}
    assert len(images) == 5
    assert one() in images


def test_batches_come_as_they_are_made(generator: Generator, precision: Precision) -> None:
    size = sampling_batch(generator.architecture, "cpu")
    count = 10**6  # would take minutes if the first batch waited for the last
    batches = sample_batches(
        generator,
        [0] * count,
        seed=0,
        indices=range(count),
        draws=[0] * count,
        precision=precision,
    )
    assert [len(batch) for batch in islice(batches, 2)] == [size, size]


def test_no_images_is_an_empty_array(generator: Generator, precision: Precision) -> None:
    assert sample(generator, [], seed=0, indices=[], precision=precision).shape == (0, 1, 32, 32)


@pytest.mark.parametrize(
    ("labels", "indices", "draws"),
    [([3], [0], [0]), ([-1], [0], [0]), ([0], [0, 1], [0]), ([0], [-1], [0]), ([0], [0], [-1])],
)
def test_wrong_requests_are_refused_at_once(
    generator: Generator,
    precision: Precision,
    labels: list[int],
    indices: list[int],
    draws: list[int],
) -> None:
    with pytest.raises(BadInput):
        sample_batches(generator, labels, seed=0, indices=indices, draws=draws, precision=precision)


def test_every_size_has_a_batch(architecture: Architecture) -> None:
    for size in IMAGE_SIZES:
        alike = replace(architecture, image_size=size)
        assert sampling_batch(alike, "cpu") >= 8
        assert sampling_batch(alike, "cuda") == sampling_batch(alike, "cuda:1")


def test_a_gpu_is_kept_busy(architecture: Architecture) -> None:
    for size in (32, 64):
        assert sampling_batch(replace(architecture, image_size=size), "cuda") >= 64


def test_sampling_leaves_the_settings_of_torch_alone(
    generator: Generator, precision: Precision
) -> None:
    threads = torch.get_num_threads()
    sample(generator, [0], seed=0, indices=[0], precision=replace(precision, threads=threads + 1))
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()


def test_preview_has_a_row_a_category_and_does_not_change(
    generator: Generator, precision: Precision
) -> None:
    grid = preview_grid(generator, 3, precision, columns=4)
    assert grid.shape == (1, 3 * 34 + 2, 4 * 34 + 2)
    np.testing.assert_array_equal(grid, preview_grid(generator, 3, precision, columns=4))
    assert not np.array_equal(grid, preview_grid(generator, 4, precision, columns=4))


def test_tile_puts_images_row_by_row() -> None:
    images = (
        np.full((3, 1, 4, 4), 1, dtype=np.uint8)
        * np.array([10, 20, 30], np.uint8)[:, None, None, None]
    )
    grid = tile(images, 2)
    assert grid.shape == (1, 14, 14)
    assert (grid[0, 2:6, 2:6] == 10).all()
    assert (grid[0, 2:6, 8:12] == 20).all()
    assert (grid[0, 8:12, 2:6] == 30).all()
    assert grid[0, 8:12, 8:12].max() == 0
