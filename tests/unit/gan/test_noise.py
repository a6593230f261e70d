import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.gan.domain.batches import balanced_labels
from services.gan.domain.noise import Purpose, normal, sample_latents, step_latents, uniform

_SEEDS = st.integers(0, 2**63 - 1)
_COUNTERS = st.integers(0, 2**40)


@given(seed=_SEEDS, index=_COUNTERS, draw=st.integers(0, 1000), others=st.lists(_COUNTERS))
def test_latent_of_an_image_does_not_depend_on_its_neighbours(
    seed: int, index: int, draw: int, others: list[int]
) -> None:
    alone = sample_latents(seed, [index], [draw], 9)
    together = sample_latents(seed, [*others, index], [0] * len(others) + [draw], 9)
    np.testing.assert_array_equal(together[-1], alone[0])


@given(seed=_SEEDS, index=_COUNTERS, draw=_COUNTERS)
def test_latents_differ_when_seed_index_or_draw_does(seed: int, index: int, draw: int) -> None:
    base = sample_latents(seed, [index], [draw], 8)
    assert not np.array_equal(base, sample_latents(seed ^ 1, [index], [draw], 8))
    assert not np.array_equal(base, sample_latents(seed, [index + 1], [draw], 8))
    assert not np.array_equal(base, sample_latents(seed, [index], [draw + 1], 8))


@given(seed=_SEEDS, step=_COUNTERS)
def test_streams_of_different_purpose_step_or_turn_differ(seed: int, step: int) -> None:
    streams = [
        uniform(seed, purpose, first, second, 4).tobytes()
        for purpose in Purpose
        for first in (step, step + 1)
        for second in (0, 1)
    ]
    assert len(set(streams)) == len(streams)


def test_noise_is_standard_normal_and_uncorrelated_between_images() -> None:
    latents = sample_latents(3, range(4000), [0] * 4000, 16).astype(np.float64)
    assert abs(latents.mean()) < 0.02
    assert abs(latents.std() - 1.0) < 0.01
    assert abs((latents**4).mean() - 3.0) < 0.1
    assert abs(np.corrcoef(latents[:-1].ravel(), latents[1:].ravel())[0, 1]) < 0.02
    assert np.abs(np.corrcoef(latents.T) - np.eye(16)).max() < 0.08


def test_noise_never_changes_between_versions() -> None:
    """Old manifests must give the same images for ever: these are the numbers of version 1."""
    latents = sample_latents(2024, [7], [1], 3)
    np.testing.assert_allclose(latents, [[0.5199792, -1.8110418, 1.5926147]], rtol=1e-6)


@given(seed=_SEEDS, step=_COUNTERS, count=st.integers(1, 40), size=st.integers(1, 9))
def test_steps_noise_is_a_function_of_its_arguments(
    seed: int, step: int, count: int, size: int
) -> None:
    first = step_latents(seed, Purpose.CRITIC_LATENT, step, 2, (count, size))
    assert first.shape == (count, size)
    assert first.dtype == np.float32
    np.testing.assert_array_equal(
        first, step_latents(seed, Purpose.CRITIC_LATENT, step, 2, (count, size))
    )
    assert normal(seed, Purpose.CRITIC_LATENT, step, 2, count * size).size == count * size


@given(seed=_SEEDS, step=_COUNTERS, count=st.integers(1, 70), categories=st.integers(1, 9))
def test_labels_are_balanced_to_within_one(
    seed: int, step: int, count: int, categories: int
) -> None:
    labels = balanced_labels(seed, Purpose.REAL_IMAGES, step, 0, count, categories)
    counts = np.bincount(labels, minlength=categories)
    assert counts.sum() == count
    assert counts.max() - counts.min() <= 1


def test_no_category_is_favoured_when_a_batch_cannot_hold_all() -> None:
    steps = 3000
    labels = [balanced_labels(0, Purpose.REAL_IMAGES, step, 0, 3, 8) for step in range(steps)]
    share = np.bincount(np.concatenate(labels), minlength=8) / (3 * steps)
    assert np.abs(share - 1 / 8).max() < 0.01
