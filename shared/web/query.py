"""What a request asks for in its query must be something that its route knows."""

from fastapi import Request
from fastapi.dependencies.utils import get_flat_params
from fastapi.exceptions import RequestValidationError
from fastapi.params import Header, Path
from fastapi.routing import APIRoute


def refuse_unknown(request: Request) -> None:
    """Raise what a route's own validation raises, for names that the route does not take.

    A misspelt ``dry_run`` that is ignored starts what was only to be estimated.
    """
    if not request.query_params:
        return
    known = _known(request)
    message = f"there is no such query parameter; there are {', '.join(sorted(known))}"
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        raise RequestValidationError([{"loc": ("query", each), "msg": message} for each in unknown])


def _known(request: Request) -> frozenset[str]:
    route = request.scope["route"]
    assert isinstance(route, APIRoute), "it has a dependency that calls this"
    parameters = get_flat_params(route.dependant)
    return frozenset(
        each.alias for each in parameters if not isinstance(each.field_info, Header | Path)
    )
