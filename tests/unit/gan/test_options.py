"""The engine takes all that the contract allows."""

from collections.abc import Iterator
from typing import Any

import pytest
from annotated_types import Ge, Le

from lesiongan.contracts.gans import IMAGE_SIZES, GanCommand, GanOptions
from services.gan import options
from shared.db.tables import GanRow

DATASET = "ds_0f3a5c7e9b1d2f4a6c8e0b1d"


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
