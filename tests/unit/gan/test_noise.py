import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.gan.domain.batches import balanced_labels
from services.gan.domain.noise import Noise, Purpose, sample_noise, step_noise, uniform

_SEEDS = st.integers(0, 2**63 - 1)
_COUNTERS = st.integers(0, 2**40)


def _bytes(noise: Noise, row: int) -> bytes:
    return bytes(noise.latents[row].tobytes() + noise.grain[row].tobytes())


@given(seed=_SEEDS, index=_COUNTERS, draw=st.integers(0, 1000), others=st.lists(_COUNTERS))
def test_noise_of_an_image_does_not_depend_on_its_neighbours(
    seed: int, index: int, draw: int, others: list[int]
) -> None:
    alone = sample_noise(seed, [index], [draw], 9, 32)
    together = sample_noise(seed, [*others, index], [0] * len(others) + [draw], 9, 32)
    assert _bytes(together, -1) == _bytes(alone, 0)


@given(seed=_SEEDS, index=_COUNTERS, draw=_COUNTERS)
def test_noise_differs_when_seed_index_or_draw_does(seed: int, index: int, draw: int) -> None:
    def both(*which: int) -> tuple[bytes, bytes]:
        noise = sample_noise(which[0], [which[1]], [which[2]], 8, 32)
        return noise.latents.tobytes(), noise.grain.tobytes()

    base = both(seed, index, draw)
    for other in (
        both(seed ^ 1, index, draw),
        both(seed, index + 1, draw),
        both(seed, index, draw + 1),
    ):
        assert base[0] != other[0]
        assert base[1] != other[1]


@given(seed=_SEEDS, step=_COUNTERS)
def test_streams_of_different_purpose_step_or_turn_differ(seed: int, step: int) -> None:
    streams = [
        uniform(seed, purpose, first, second, 4).tobytes()
        for purpose in Purpose
        for first in (step, step + 1)
        for second in (0, 1)
    ]
    assert len(set(streams)) == len(streams)


def test_latents_are_standard_normal_and_uncorrelated_between_images() -> None:
    latents = sample_noise(3, range(4000), [0] * 4000, 16, 32).latents.astype(np.float64)
    assert abs(latents.mean()) < 0.02
    assert abs(latents.std() - 1.0) < 0.01
    assert abs((latents**4).mean() - 3.0) < 0.1
    assert abs(np.corrcoef(latents[:-1].ravel(), latents[1:].ravel())[0, 1]) < 0.02
    assert np.abs(np.corrcoef(latents.T) - np.eye(16)).max() < 0.08


def test_grain_has_mean_0_and_variance_1_and_no_structure() -> None:
    grain = sample_noise(3, range(400), [0] * 400, 16, 32).grain.astype(np.float64)
    assert grain.shape == (400, 1, 32, 32)
    assert abs(grain.mean()) < 0.01
    assert abs(grain.std() - 1.0) < 0.01
    for shift, axis in ((1, 0), (1, 2), (1, 3), (8, 3)):
        assert abs((grain * np.roll(grain, shift, axis)).mean()) < 0.01


def test_noise_never_changes_between_versions() -> None:
    """Old manifests must give the same images for ever: these are the numbers of version 1."""
    noise = sample_noise(2024, [7], [1], 3, 32)
    np.testing.assert_allclose(noise.latents, [[0.5199792, -1.8110418, 1.5926147]], rtol=1e-6)
    np.testing.assert_allclose(noise.grain[0, 0, 0, :2], [0.5480359, -1.6035124], rtol=1e-6)


@given(seed=_SEEDS, limit=st.floats(0.1, 8.0))
def test_truncation_keeps_latents_within_their_limit_and_in_their_order(
    seed: int, limit: float
) -> None:
    free = sample_noise(seed, range(8), [0] * 8, 64, 32)
    cut = sample_noise(seed, range(8), [0] * 8, 64, 32, truncation=limit)
    assert np.abs(cut.latents).max() <= np.float32(limit)
    order = np.argsort(free.latents, axis=None)
    assert (np.diff(cut.latents.ravel()[order]) >= 0.0).all()
    np.testing.assert_array_equal(cut.grain, free.grain)


def test_truncated_latents_are_a_normal_distribution_cut_off() -> None:
    """Its variance at a limit of 1 is 1 - 2 phi(1) / (2 Phi(1) - 1) = 0.2911."""
    cut = sample_noise(0, range(500), [0] * 500, 64, 32, truncation=1.0).latents
    assert abs(cut.var() - 0.2911) < 0.005
    assert abs(cut.mean()) < 0.01
    wide = sample_noise(0, range(9), [0] * 9, 64, 32, truncation=8.0).latents
    free = sample_noise(0, range(9), [0] * 9, 64, 32).latents
    np.testing.assert_allclose(wide, free, atol=1e-5)


@given(seed=_SEEDS, step=_COUNTERS, count=st.integers(1, 9), latent_size=st.integers(1, 9))
def test_noise_of_a_step_is_a_function_of_its_arguments(
    seed: int, step: int, count: int, latent_size: int
) -> None:
    first, again = (
        step_noise(seed, Purpose.CRITIC_NOISE, step, 2, count, latent_size, 32) for _ in range(2)
    )
    assert first.latents.shape == (count, latent_size)
    assert first.grain.shape == (count, 1, 32, 32)
    assert first.latents.dtype == first.grain.dtype == np.float32
    assert _bytes(first, -1) == _bytes(again, -1)
    assert len({_bytes(first, row) for row in range(count)}) == count


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


def test_seeds_may_differ_from_image_to_image() -> None:
    mixed = sample_noise([3, 4, 3], [7, 7, 8], [0, 0, 1], 9, 32)
    for row, (seed, index, draw) in enumerate(((3, 7, 0), (4, 7, 0), (3, 8, 1))):
        alone = sample_noise(seed, [index], [draw], 9, 32)
        np.testing.assert_array_equal(mixed.latents[row], alone.latents[0])
        np.testing.assert_array_equal(mixed.grain[row], alone.grain[0])
