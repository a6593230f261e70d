"""A command takes what JSON says literally, and JSON has one kind of number."""

import pytest
from pydantic import Field, ValidationError

from lesiongan.contracts.base import Command


class Numbers(Command):
    """Some of each."""

    one: int = 0
    some: list[int] = Field(default_factory=list)
    parts: list[float] = Field(default_factory=list)


def test_whole_numbers_may_be_written_with_a_point() -> None:
    found = Numbers.model_validate_json('{"one": 3.0, "some": [1.0, 2], "parts": [1.0, 0.5]}')
    assert (found.one, found.some, found.parts) == (3, [1, 2], [1.0, 0.5])


@pytest.mark.parametrize(
    "wrong", ['"one": 1.5', '"some": [1.5]', '"some": ["1"]', '"some": [true]']
)
def test_nothing_else_is_taken_for_one(wrong: str) -> None:
    with pytest.raises(ValidationError):
        Numbers.model_validate_json(f"{{{wrong}}}")
