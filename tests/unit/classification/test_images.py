"""Which images a step sees."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from services.classification.domain.images import BatchSampler, to_input
from tests.unit.classification.builders import dark_and_bright, labelled, recipe

counts_of_categories = st.lists(st.integers(1, 12), min_size=1, max_size=8)


def labels_of(counts: list[int]) -> list[int]:
    return np.repeat(np.arange(len(counts)), counts).tolist()


def spread(values: np.ndarray, categories: int) -> int:
    """How many more images the most frequent category has than the least frequent one."""
    counts = np.bincount(values, minlength=categories)
    return int(counts.max() - counts.min())


@given(
    seed=st.integers(0, 2**63 - 1),
    step=st.integers(0, 10**6),
    share=st.sampled_from([None, 0.5]),
    balance=st.booleans(),
)
def test_a_batch_is_a_function_of_seed_and_step(
    seed: int, step: int, share: float | None, balance: bool
) -> None:
    images = labelled(labels_of([30, 30]), synthetic=labels_of([30, 30]))
    settings = recipe(seed=seed, batch_size=32, synthetic_share=share, balance=balance)
    used, fresh = BatchSampler(images, settings), BatchSampler(images, settings)
    used.rows(step + 1)
    rows = used.rows(step)
    assert rows.dtype == np.int64
    assert np.array_equal(rows, fresh.rows(step))
    assert not np.array_equal(rows, used.rows(step + 1))
    other = BatchSampler(images, recipe(**{**vars(settings), "seed": seed ^ 1}))
    assert not np.array_equal(rows, other.rows(step))


@given(
    real=counts_of_categories,
    synthetic=counts_of_categories,
    batch_size=st.integers(2, 40),
    step=st.integers(0, 100),
)
def test_every_category_is_drawn_as_often_however_rare(
    real: list[int], synthetic: list[int], batch_size: int, step: int
) -> None:
    images = labelled(labels_of(real), synthetic=labels_of(synthetic))
    rows = BatchSampler(images, recipe(batch_size=batch_size)).rows(step)
    assert rows.shape == (batch_size,)
    assert spread(images.labels[rows], max(len(real), len(synthetic))) <= 1


@given(
    counts=counts_of_categories,
    share=st.floats(0, 1),
    batch_size=st.integers(2, 40),
    step=st.integers(0, 100),
)
def test_categories_are_balanced_over_real_and_synthetic_images_together(
    counts: list[int], share: float, batch_size: int, step: int
) -> None:
    images = labelled(labels_of(counts), synthetic=labels_of(counts[::-1]))
    settings = recipe(batch_size=batch_size, synthetic_share=share)
    rows = BatchSampler(images, settings).rows(step)
    assert rows.shape == (batch_size,)
    assert spread(images.labels[rows], len(counts)) <= 1


def test_the_first_category_is_not_favoured_where_a_batch_has_no_room_for_all() -> None:
    images = labelled(labels_of([3] * 5))
    sampler = BatchSampler(images, recipe(batch_size=2))
    seen = np.concatenate([images.labels[sampler.rows(step)] for step in range(500)])
    assert np.bincount(seen) == pytest.approx([200] * 5, rel=0.25)


@pytest.mark.parametrize("balance", [True, False])
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_share_of_synthetic_images_is_the_one_asked_for(share: float, balance: bool) -> None:
    images = labelled(labels_of([4, 4]), synthetic=labels_of([90, 10]))
    settings = recipe(batch_size=50, synthetic_share=share, balance=balance)
    sampler = BatchSampler(images, settings)
    per_step = [int(images.synthetic[sampler.rows(step)].sum()) for step in range(60)]
    # Ten standard errors of 3,000 draws; none at all at the ends.
    assert np.mean(per_step) / 50 == pytest.approx(
        share, abs=10 * (share * (1 - share) / 3000) ** 0.5
    )


def test_without_a_share_synthetic_images_come_as_often_as_their_number_says() -> None:
    images = labelled(labels_of([10, 10]), synthetic=labels_of([30, 30]))
    sampler = BatchSampler(images, recipe(batch_size=50))
    seen = np.concatenate([images.synthetic[sampler.rows(step)] for step in range(60)])
    assert seen.mean() == pytest.approx(0.75, abs=0.05)


def test_a_category_without_synthetic_images_is_drawn_from_real_ones() -> None:
    images = labelled([0, 1, 2], synthetic=[1, 1])
    settings = recipe(batch_size=30, synthetic_share=0.5)
    rows = np.concatenate([BatchSampler(images, settings).rows(step) for step in range(5)])
    of_synthetic = images.synthetic[rows]
    assert set(images.labels[rows[of_synthetic]]) == {1}
    assert spread(images.labels[rows], 3) == 0, "and no less often than the others"


@pytest.mark.parametrize("balance", [True, False])
@pytest.mark.parametrize(("real", "synthetic"), [([0, 1], []), ([], [0, 1])])
def test_a_share_of_nothing_does_not_shorten_the_batch(
    real: list[int], synthetic: list[int], balance: bool
) -> None:
    images = labelled(real, synthetic=synthetic)
    settings = recipe(batch_size=9, synthetic_share=0.5, balance=balance)
    assert BatchSampler(images, settings).rows(3).shape == (9,)


def test_unbalanced_categories_come_as_often_as_their_number_says() -> None:
    images = labelled(labels_of([90, 10]))
    sampler = BatchSampler(images, recipe(batch_size=50, balance=False))
    seen = np.concatenate([sampler.rows(step) for step in range(60)])
    assert (images.labels[seen] == 0).mean() == pytest.approx(0.9, abs=0.05)
    assert set(seen) == set(range(100)), "each image has its turn"


def test_input_is_minus_one_to_one_and_the_pixels_stay() -> None:
    pixels = torch.tensor([[[[0, 255]], [[51, 204]]]], dtype=torch.uint8)
    made = to_input(pixels)
    assert made.dtype == torch.float32
    assert made.is_contiguous(memory_format=torch.channels_last)
    assert made.flatten().tolist() == pytest.approx([-1.0, 1.0, -0.6, 0.6])
    assert pixels.flatten().tolist() == [0, 255, 51, 204]


def test_images_know_their_size() -> None:
    images = dark_and_bright(each=3)
    assert (len(images), images.channels, images.image_size) == (6, 1, 32)
