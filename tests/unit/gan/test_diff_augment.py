from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from lesiongan.contracts.gans import DIFF_AUGMENTATIONS
from services.gan.domain.diff_augment import DRAWS, augment, augment_draws
from services.gan.domain.noise import Purpose

_UNIT = st.floats(0.0, 1.0, exclude_max=True, width=32)


def _images(count: int = 2, size: int = 16, channels: int = 1) -> Tensor:
    random = torch.Generator().manual_seed(0)
    return torch.rand(count, channels, size, size, generator=random) * 2.0 - 1.0


def _draws(*numbers: float) -> Tensor:
    return torch.tensor([numbers], dtype=torch.float32)


@settings(deadline=None)
@given(down=_UNIT, right=_UNIT, dtype=st.sampled_from([torch.float32, torch.bfloat16]))
def test_translation_moves_whole_pixels_by_up_to_an_eighth(
    down: float, right: float, dtype: torch.dtype
) -> None:
    image = _images(1, channels=3).to(dtype)
    moved = augment(image, _draws(0, 0, down, right, 0, 0), ("translation",))
    rows, columns = (min(int(np.float32(draw) * np.float32(5)), 4) - 2 for draw in (down, right))
    framed = torch.zeros(1, 3, 20, 20, dtype=dtype)
    framed[:, :, 2:-2, 2:-2] = image
    expected = framed[:, :, 2 + rows : 18 + rows, 2 + columns : 18 + columns]
    assert torch.equal(moved, expected)


@settings(deadline=None)
@given(down=_UNIT, right=_UNIT)
def test_cutout_is_one_square_of_at_most_half_the_side(down: float, right: float) -> None:
    image = _images(1) + 2.0  # nowhere 0
    cut = augment(image, _draws(0, 0, 0, 0, down, right), ("cutout",))
    hole = (cut == 0.0)[0, 0]
    rows, columns = (int(hole.any(dim=axis).sum()) for axis in (1, 0))
    assert 4 <= rows <= 8
    assert 4 <= columns <= 8
    assert int(hole.sum()) == rows * columns
    assert torch.equal(cut[0, 0][~hole], image[0, 0][~hole])


def test_brightness_adds_and_contrast_stretches_about_the_mean() -> None:
    image = _images(1)
    brighter = augment(image, _draws(1.0, 0, 0, 0, 0, 0), ("brightness",))
    torch.testing.assert_close(brighter, image + 0.5)
    flatter = augment(image, _draws(0, 0.0, 0, 0, 0, 0), ("contrast",))
    torch.testing.assert_close(flatter.mean(), image.mean())
    torch.testing.assert_close(flatter.std(), 0.5 * image.std())


def test_no_operations_change_nothing() -> None:
    image = _images()
    assert augment(image, torch.rand(2, DRAWS), ()) is image


@pytest.mark.parametrize("operation", DIFF_AUGMENTATIONS)
def test_each_operation_is_differentiable_twice(operation: str) -> None:
    images = _images(2, size=8).double().requires_grad_()
    draws = torch.from_numpy(augment_draws(1, Purpose.REAL_AUGMENTATION, 0, 0, 2))

    def bent(x: Tensor) -> Tensor:
        return augment(x, draws, (operation,)).square()

    assert torch.autograd.gradcheck(bent, (images,), atol=1e-3, eps=1e-3)
    assert torch.autograd.gradgradcheck(bent, (images,), atol=1e-3, eps=1e-3)


def test_type_and_layout_are_kept() -> None:
    images = _images(2, channels=3).bfloat16().contiguous(memory_format=torch.channels_last)
    seen = augment(images, torch.rand(2, DRAWS), DIFF_AUGMENTATIONS)
    assert seen.dtype == torch.bfloat16
    assert seen.is_contiguous(memory_format=torch.channels_last)


def test_draws_derive_from_seed_purpose_step_and_turn() -> None:
    places = [(0, Purpose.REAL_AUGMENTATION, 3, 1), (1, Purpose.REAL_AUGMENTATION, 3, 1)]
    places += [(0, Purpose.FAKE_AUGMENTATION, 3, 1), (0, Purpose.REAL_AUGMENTATION, 4, 1)]
    places += [(0, Purpose.REAL_AUGMENTATION, 3, 2)]
    drawn = [augment_draws(*place, count=4) for place in places]
    np.testing.assert_array_equal(drawn[0], augment_draws(*places[0], count=4))
    assert all((one != other).all() for one, other in pairwise(drawn))
    assert drawn[0].min() >= 0.0
    assert drawn[0].max() < 1.0
