"""The engine takes all that the contract allows."""

from collections.abc import Iterator
from typing import Any

import pytest
from annotated_types import Ge, Le

from lesiongan.contracts.gans import IMAGE_SIZES, GanCommand, GanOptions, GenerateSetCommand
from services.gan import options
from shared.db.tables import GanRow

DATASET = "ds_0f3a5c7e9b1d2f4a6c8e0b1d"
GAN = "gan_0f3a5c7e9b1d2f4a6c8e0b1d"


def extremes() -> Iterator[dict[str, Any]]:
    """Each option that has a least or greatest value, at that one."""
    for name, field in GanOptions.model_fields.items():
        for bound in field.metadata:
            if isinstance(bound, Ge):
                yield {name: bound.ge}
            elif isinstance(bound, Le):
                yield {name: bound.le}


@pytest.mark.parametrize("given", list(extremes()), ids=str)
def test_every_option_may_be_as_small_and_as_large_as_the_contract_says(
    given: dict[str, Any],
) -> None:
    of_both = {"steps": 1_000_000} if "pretrain_steps" in given else {}
    if given == {"pretrain_steps": 1_000_000}:
        given = {"pretrain_steps": 999_999}  # of at most one step less than all
    command = GanCommand.model_validate({"dataset": DATASET, **of_both, **given})
    training = options.training(command, unlabelled=True)
    assert training.steps == command.steps
    for size in IMAGE_SIZES:
        gan = GanRow(image_size=size, channels=1, categories=["liver"])
        shape = options.architecture(gan, command)
        assert shape.width_at(size) == command.width
        assert shape.width_at(4) >= command.width


def test_as_many_of_each_category_whatever_the_number_of_real_ones() -> None:
    asked = GenerateSetCommand(gan=GAN, dataset=DATASET, per_category=100, seed=0)
    assert [asked.images_of(real) for real in (900, 100, 0)] == [100, 100, 0]
    alike = GenerateSetCommand(gan=GAN, dataset=DATASET, ratio=1.5, seed=0)
    assert [alike.images_of(real) for real in (900, 100, 0)] == [1350, 150, 0]


def test_a_category_with_images_gets_one_at_least() -> None:
    asked = GenerateSetCommand(gan=GAN, dataset=DATASET, ratio=0.1, seed=0)
    assert [asked.images_of(real) for real in (0, 1, 4, 26)] == [0, 1, 1, 3]
