"""Time that does not pass, and the command line without a server."""

import pytest
from typer.testing import CliRunner, Result

from lesiongan.cli import app
from lesiongan.cli.session import Session
from lesiongan.client import Client
from tests.unit.sdk.fake_server import Handler, Run, client_of


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that the client made, which took no time."""
    made: list[float] = []
    monkeypatch.setattr("time.sleep", made.append)
    return made


@pytest.fixture(autouse=True)
def _no_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for name in ("LESIONGAN_URL", "LESIONGAN_KEY", "LESIONGAN_PROFILE", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    # Whoever runs the tests may have profiles of their own.
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command against a handler instead of a server."""

    def invoke(handler: Handler, *arguments: str) -> Result:
        def connect(_: Session) -> Client:
            return client_of(handler, max_retries=0)

        monkeypatch.setattr(Session, "connect", connect)
        return CliRunner().invoke(app, list(arguments))

    return invoke
