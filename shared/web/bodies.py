"""Bodies that a route reads by itself, validated as FastAPI would."""

import json
from typing import Any, TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from shared.errors import BadInput

Model = TypeVar("Model", bound=BaseModel)


def parsed_json(body: bytes) -> Any:
    """The body as JSON; raises :class:`BadInput`."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise BadInput("the body is not JSON") from None


def validated(model: type[Model], value: Any) -> Model:
    """``value`` as ``model``; raises what a route's own validation raises."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False)
        raise RequestValidationError(
            [{**fault, "loc": ("body", *fault["loc"])} for fault in faults]
        ) from None
