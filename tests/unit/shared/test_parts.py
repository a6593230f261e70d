"""Where the parts of a large data set begin and end."""

from hypothesis import given
from hypothesis import strategies as st

from shared.datasets.parts import PART_IMAGES, Part, cut

SIZES = st.lists(st.integers(1, 700), max_size=60)


@given(SIZES)
def test_parts_follow_each_other_and_leave_nothing_out(sizes: list[int]) -> None:
    parts = cut(sizes)
    assert [part.number for part in parts] == list(range(len(parts)))
    assert [i for part in parts for i in range(part.first_input, part.end_input)] == list(
        range(len(sizes))
    )
    for part in parts:
        assert part.images == sum(sizes[part.first_input : part.end_input])
        assert part.first_index == sum(sizes[: part.first_input])


@given(SIZES)
def test_a_part_is_as_large_as_it_may_be(sizes: list[int]) -> None:
    parts = cut(sizes)
    assert all(part.images <= PART_IMAGES for part in parts)
    for part in parts[:-1]:
        assert part.images + sizes[part.end_input] > PART_IMAGES


def test_an_input_that_makes_more_than_a_part_is_one() -> None:
    assert [part.images for part in cut([1, 5000, 1])] == [1, 5000, 1]


def test_nothing_has_no_parts() -> None:
    assert cut([]) == []


def test_a_part_comes_back_from_json() -> None:
    part = cut([1] * 5000)[2]
    assert Part(**part.as_json()) == part
    assert part.first_shard == 128


@given(st.integers(10_000, 200_000), st.sampled_from([1, 4]))
def test_a_large_set_is_at_most_one_object_for_a_thousand_images(images: int, of_each: int) -> None:
    """A shard a part, and the manifest."""
    parts = cut([of_each] * (images // of_each))
    assert len(parts) + 1 <= images / 1000
