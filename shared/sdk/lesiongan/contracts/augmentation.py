"""Traditional augmentation: commands."""

from typing import Annotated, Literal, get_args

from pydantic import Field, model_validator

from lesiongan.contracts.base import Command, example
from lesiongan.contracts.datasets import DatasetId, Name

Operation = Literal[
    "rotate", "scale", "shift", "shear", "trim", "flip", "contrast", "blur", "noise"
]
#: In the order in which they are applied.
OPERATIONS: tuple[Operation, ...] = get_args(Operation)
Interpolation = Literal["nearest", "linear", "cubic"]


def usual_operations() -> list[Operation]:
    """What helped where it was measured (``docs/results.md``); the others are there to be named.

    A flipped liver lies on the wrong side; blur takes CT's noise texture away, and trim enlarges.
    """
    return [operation for operation in OPERATIONS if operation not in ("flip", "blur", "trim")]


#: Degrees, either way.
USUAL_ROTATION = 15.0


def _usual_rotation(degrees: float) -> bool:
    """Left out of what is stored: such data sets keep the ids that they had."""
    return degrees == USUAL_ROTATION


class AugmentOptions(Command):
    """Which random series each copy goes through."""

    copies: Annotated[int, Field(ge=1, le=100, description="augmented images of each one")] = 3
    operations: Annotated[
        list[Operation],
        Field(
            min_length=1,
            default_factory=usual_operations,
            description="what a copy may go through, each named once",
            json_schema_extra={"uniqueItems": True},
        ),
    ]
    seed: Annotated[int, Field(ge=0, lt=2**63, description="the same seed, the same copies")] = 0
    rotation_degrees: Annotated[
        float,
        Field(ge=0, le=180, description="how far rotate goes", exclude_if=_usual_rotation),
    ] = USUAL_ROTATION
    #: Nearest averages no neighbours, so the noise texture of CT stays as it is.
    interpolation: Annotated[Interpolation, Field(description="between pixels")] = "nearest"

    @model_validator(mode="after")
    def _operations_once(self) -> "AugmentOptions":
        if len(set(self.operations)) != len(self.operations):
            raise ValueError("operations must name each operation once")
        return self


class AugmentCommand(AugmentOptions):
    """Make a data set of the originals and ``copies`` augmented ones of each training image."""

    model_config = example(
        {
            "dataset": "ds_0f3a5c7e9b1d2f4a6c8e0b1d",
            "copies": 3,
            "operations": ["rotate", "scale", "shift"],
            "seed": 0,
        }
    )

    dataset: DatasetId
    name: Name | None = None
