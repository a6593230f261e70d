"""A command of ours: the options that all share, and errors in one line."""

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any, Concatenate, ParamSpec

import typer
from pydantic import ValidationError

from lesiongan.cli.session import Session, plain, print_json
from lesiongan.errors import ApiError, ClientError, JobFailed

Options = ParamSpec("Options")

#: Exit codes: the server or the job said no; the command was written wrongly; Ctrl-C.
REFUSED, USAGE, INTERRUPTED = 1, 2, 130

_SHARED = "For every command"
UrlOption = Annotated[
    str | None,
    typer.Option(help="the server's address; else LESIONGAN_URL", rich_help_panel=_SHARED),
]
KeyOption = Annotated[
    str | None, typer.Option(help="an API key; else LESIONGAN_KEY", rich_help_panel=_SHARED)
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="print JSON, and nothing else", rich_help_panel=_SHARED)
]
_COMMON = {
    "url": inspect.Parameter(
        "url", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=UrlOption
    ),
    "key": inspect.Parameter(
        "key", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=KeyOption
    ),
    "as_json": inspect.Parameter(
        "as_json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=JsonOption
    ),
}


def command(
    app: typer.Typer, name: str
) -> Callable[[Callable[Concatenate[Session, Options], None]], Callable[..., None]]:
    """Add a function to ``app``; it gets a session, and its command ``--url --key --json``."""

    def add(function: Callable[Concatenate[Session, Options], None]) -> Callable[..., None]:
        def run(*, url: str | None, key: str | None, as_json: bool, **options: Any) -> None:
            session = Session(url=url, key=key, json=as_json)
            with_errors_told(session, functools.partial(function, session, **options))

        own = list(inspect.signature(function).parameters.values())[1:]
        parameters = [
            *(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own),
            *_COMMON.values(),
        ]
        # What Typer reads: the function's own parameters, and ours.
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in parameters}
        run.__doc__ = function.__doc__
        app.command(name)(run)
        return run

    return add


def with_errors_told(session: Session, action: Callable[[], None]) -> None:
    """Run ``action``; what it raises on purpose becomes one line and an exit code."""
    try:
        action()
    except ValidationError as error:
        raise _usage(error) from None
    except ClientError as error:
        tell_error(error)
        if session.json:
            print_json(_as_document(error))
        raise typer.Exit(REFUSED) from None
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        place = "" if error.filename is None else f": {error.filename}"
        typer.echo(f"error: {error.strerror or error}{place}", err=True)
        raise typer.Exit(REFUSED) from None


def tell_error(error: ClientError) -> None:
    """One line on standard error: what went wrong, and what to do."""
    title = f"{error.title}: " if isinstance(error, ApiError) else ""
    hint = "" if error.hint is None else f" ({error.hint})"
    line = " ".join(f"{title}{error}{hint}".split())
    typer.echo(f"error: {plain(line)}", err=True)


def _as_document(error: ClientError) -> Any:
    if isinstance(error, JobFailed):
        return error.job
    if isinstance(error, ApiError):
        return {"error": error.problem()}
    return {"error": {"title": type(error).__name__, "detail": str(error), "hint": error.hint}}


def _usage(error: ValidationError) -> typer.BadParameter:
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"])) or "the command"
    return typer.BadParameter(f"{place}: {first['msg']}")
