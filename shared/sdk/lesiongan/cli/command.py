"""A command of ours: the options that all share, and errors in one line."""

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any, Concatenate, ParamSpec

import typer
from pydantic import ValidationError

from lesiongan.cli.exits import FAILED, INTERRUPTED
from lesiongan.cli.session import Session, plain, print_json
from lesiongan.errors import ApiError, ClientError, JobFailed

Options = ParamSpec("Options")

_SHARED = "For every command"
UrlOption = Annotated[
    str | None,
    typer.Option(help="the server's address; else LESIONGAN_URL", rich_help_panel=_SHARED),
]
ProfileOption = Annotated[
    str | None,
    typer.Option(
        help="a server that `lesiongan login` knows; else LESIONGAN_PROFILE",
        rich_help_panel=_SHARED,
    ),
]
KeyOption = Annotated[
    str | None, typer.Option(help="an API key; else LESIONGAN_KEY", rich_help_panel=_SHARED)
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="print JSON, and nothing else", rich_help_panel=_SHARED)
]
QuietOption = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="print ids or paths, one a line", rich_help_panel=_SHARED),
]
_COMMON = [
    inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
    for name, default, annotation in (
        ("url", None, UrlOption),
        ("key", None, KeyOption),
        ("profile", None, ProfileOption),
        ("as_json", False, JsonOption),
        ("quiet", False, QuietOption),
    )
]
Function = Callable[Concatenate[Session, Options], None]


def command(
    app: typer.Typer, name: str
) -> Callable[[Callable[Concatenate[Session, Options], None]], Function[Options]]:
    """Add a function to ``app``: it gets a session, its command the options that all share.

    The function stays as it is, and may be added to another app as well.
    """

    def add(function: Function[Options]) -> Function[Options]:
        def run(
            *,
            url: str | None,
            key: str | None,
            profile: str | None,
            as_json: bool,
            quiet: bool,
            **options: Any,
        ) -> None:
            session = Session(url=url, key=key, profile=profile, json=as_json, quiet=quiet)
            with_errors_told(session, functools.partial(function, session, **options))

        own = list(inspect.signature(function).parameters.values())[1:]
        parameters = [
            *(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own),
            *_COMMON,
        ]
        # What Typer reads: the function's own parameters, and ours.
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in parameters}
        run.__doc__ = function.__doc__
        app.command(name)(run)
        return function

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
        raise typer.Exit(FAILED) from None
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        place = "" if error.filename is None else f": {error.filename}"
        detail = f"{error.strerror or error}{place}"
        typer.echo(f"error: {detail}", err=True)
        if session.json:
            print_json(_told(error, detail))
        raise typer.Exit(FAILED) from None


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
    return _told(error, str(error), error.hint)


def _told(error: Exception, detail: str, hint: str | None = None) -> Any:
    return {"error": {"title": type(error).__name__, "detail": detail, "hint": hint}}


def _usage(error: ValidationError) -> typer.BadParameter:
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"])) or "the command"
    return typer.BadParameter(f"{place}: {first['msg']}")
