"""What work is compared by: how many there are, and sizes between all of them and nothing."""

import pytest

from shared.plans.passes import work_of_images, work_of_large_passes, work_of_passes


@pytest.mark.parametrize("times", [1.0, 2.0, 4.0])
def test_images_of_up_to_four_times_the_size_cost_as_much_or_so_much_more_within_two(
    times: float,
) -> None:
    ratio = work_of_images(10, size=times * 900) / work_of_images(10, size=900)
    for really in (1.0, times):
        assert 0.5 <= ratio / really <= 2.0


def test_twice_as_many_are_twice_the_work() -> None:
    assert work_of_images(20, size=900) == 2 * work_of_images(10, size=900)
    assert work_of_passes(20, batch_size=8, image_size=32) == 2 * work_of_passes(
        10, batch_size=8, image_size=32
    )


def test_each_pixel_of_a_large_pass_costs_the_same() -> None:
    small = work_of_large_passes(10, batch_size=64, image_size=32)
    assert work_of_large_passes(10, batch_size=64, image_size=64) == 4 * small
    assert work_of_large_passes(10, batch_size=128, image_size=32) == 2 * small
    assert small == work_of_passes(10, batch_size=64, image_size=32)
