"""What is trained on is not what is tested on."""

import pytest

from shared.datasets.leakage import refuse_shared_patients, unseen
from shared.datasets.records import ImageRecord
from shared.errors import BadInput


def image(number: int, patient: str | None = None) -> ImageRecord:
    return ImageRecord(
        index=0,
        sha256=f"{number:064x}",
        category="liver",
        split="train",
        patient=patient,
        source="s",
        unit="uint8",
        width=8,
        height=8,
        shard=0,
        offset=512,
        size=9,
    )


def test_patients_on_both_sides_are_counted_once_each_and_refused() -> None:
    train = [image(1, "a"), image(2, "a"), image(3, "b"), image(4, "c")]
    held_out = [image(5, "a"), image(6, "b"), image(7, "b"), image(8, "d")]
    with pytest.raises(BadInput, match=r"^images of 2 of the patients"):
        refuse_shared_patients(train, held_out)


@pytest.mark.parametrize(
    ("train", "held_out"),
    [
        ([image(1, "a")], [image(2, "b"), image(3, "A")]),
        ([image(1, None)], [image(2, None)]),
        ([image(1, None), image(2, "a")], [image(3, None)]),
        ([], [image(1, "a")]),
        ([image(1, "a")], []),
    ],
)
def test_other_patients_and_unknown_ones_are_no_leak(
    train: list[ImageRecord], held_out: list[ImageRecord]
) -> None:
    refuse_shared_patients(iter(train), iter(held_out))


def test_images_with_the_bytes_of_a_training_image_are_seen() -> None:
    train = [image(1, "a"), image(2)]
    held_out = [image(2, "b"), image(3, "a"), image(1), image(2)]
    assert unseen(iter(train), iter(held_out)) == [False, True, False, False]
    assert unseen([], held_out) == [True] * 4
    assert unseen(train, []) == []
