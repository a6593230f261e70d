"""`lesiongan up`, `down` and `status` as a person meets them when nothing runs."""

import json
import socket
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from deploy.local import commands


@pytest.fixture
def cli() -> typer.Typer:
    app = typer.Typer()
    for command in (commands.up, commands.down, commands.status):
        app.command()(command)
    return app


def test_status_of_nothing_is_1_and_says_what_to_do(cli: typer.Typer, tmp_path: Path) -> None:
    answer = CliRunner().invoke(cli, ["status", "--home", str(tmp_path / "none")])

    assert answer.exit_code == 1
    assert "lesiongan up" in answer.stdout
    assert not (tmp_path / "none").exists()


def test_status_as_json(cli: typer.Typer, tmp_path: Path) -> None:
    answer = CliRunner().invoke(cli, ["status", "--home", str(tmp_path), "--json"])

    assert json.loads(answer.stdout) == {"phase": "stopped", "url": "", "processes": {}}


def test_down_of_nothing_is_no_error(cli: typer.Typer, tmp_path: Path) -> None:
    answer = CliRunner().invoke(cli, ["down"], env={"LESIONGAN_HOME": str(tmp_path / "none")})

    assert answer.exit_code == 0
    assert "did not run" in answer.stdout


def test_a_port_in_use_is_one_clear_line(cli: typer.Typer, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        answer = CliRunner().invoke(cli, ["up", "--home", str(tmp_path), "--port", str(port)])

    assert answer.exit_code == 1
    assert answer.stderr.strip().endswith(
        f"error: port {port} is in use; choose another with --port"
    )


def test_a_wrong_option_is_2(cli: typer.Typer) -> None:
    assert CliRunner().invoke(cli, ["up", "--port", "many"]).exit_code == 2
