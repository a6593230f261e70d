"""Commands that others add."""

from importlib.metadata import EntryPoint
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner, Result

from lesiongan.cli import extensions

group = typer.Typer()


def hello(*, name: Annotated[str, typer.Option()] = "you") -> None:
    """Say hello."""
    if name == "nobody":
        raise typer.Exit(1)
    typer.echo(f"hello {name}")


@group.command("one")
def one() -> None:
    typer.echo("one of a group")


@group.command("two")
def two() -> None:
    typer.echo("two of a group")


def run(monkeypatch: pytest.MonkeyPatch, points: list[EntryPoint], *arguments: str) -> Result:
    monkeypatch.setattr(extensions, "entry_points", lambda **_: points)
    app = typer.Typer()
    app.callback()(lambda: None)
    extensions.add_extensions(app)
    return CliRunner().invoke(app, arguments)


def point(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, extensions.GROUP)


def test_a_function_is_a_command_with_its_options(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [point("up", f"{__name__}:hello")]
    assert run(monkeypatch, points, "up", "--name", "lab").stdout == "hello lab\n"
    assert "--name" in run(monkeypatch, points, "up", "--help").stdout


def test_exit_codes_are_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [point("up", f"{__name__}:hello")]
    assert run(monkeypatch, points, "up", "--name", "nobody").exit_code == 1
    assert run(monkeypatch, points, "up", "--unknown").exit_code == 2


def test_a_typer_app_is_a_group_of_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [point("more", f"{__name__}:group")]
    assert run(monkeypatch, points, "more", "two").stdout == "two of a group\n"


@pytest.mark.parametrize("points", [[], [point("up", "no_such_module:up")]])
def test_without_the_extra_it_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, points: list[EntryPoint]
) -> None:
    result = run(monkeypatch, points, "up")
    assert result.exit_code == 1
    assert "pip install 'lesiongan[local]'" in result.stderr
    assert result.stderr.count("\n") == 1
