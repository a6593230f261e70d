"""Servers by name, on the command line."""

import json

import httpx
import pytest
from typer.testing import CliRunner, Result

from lesiongan.cli import app, servers
from lesiongan.client import Client
from lesiongan.client.profiles import Profile, profiles_file, read_profiles
from tests.unit.sdk.fake_server import Run, Script, page, problem


@pytest.fixture
def login(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Logs in at servers that all give the same answer."""

    def invoke(answer: httpx.Response, *arguments: str, typed: str = "") -> Result:
        def connect(url: str, key: str) -> Client:
            transport = httpx.MockTransport(lambda _: answer)
            return Client(url, key, max_retries=0, http_transport=transport)

        monkeypatch.setattr(servers, "Client", connect)
        return CliRunner().invoke(app, ["login", *arguments], input=typed)

    return invoke


def test_the_key_is_read_and_never_shown(login: Run) -> None:
    result = login(page(), "https://lab.example/", typed="lg_lab\n")
    assert result.exit_code == 0, result.stderr
    assert "lg_lab" not in result.output
    kept = read_profiles(profiles_file())
    assert kept.servers == {"default": Profile("https://lab.example", "lg_lab")}


def test_who_may_not_read_has_a_key_all_the_same(login: Run) -> None:
    refused = problem(403, "Forbidden", "this key lacks the scope read")
    assert login(refused, "https://lab.example", "--key", "lg_lab").exit_code == 0


def test_another_server_is_not_kept(login: Run) -> None:
    result = login(httpx.Response(200, html="<p>hello"), "https://x.example", "--key", "lg_x")
    assert result.exit_code == 1
    assert not profiles_file().exists()


@pytest.mark.parametrize(
    ("url", "warned"),
    [("http://lab.example", True), ("https://lab.example", False), ("http://127.0.0.1:8", False)],
)
def test_a_key_in_the_clear_is_warned_of(login: Run, url: str, warned: bool) -> None:
    result = login(page(), url, "--key", "lg_lab", "--json")
    assert ("unencrypted" in result.stderr) is warned
    assert json.loads(result.stdout)["url"] == url


def test_the_default_is_chosen_and_forgotten(login: Run) -> None:
    for name in ("lab", "home"):
        login(page(), f"https://{name}.example", "--key", "lg_x", "--profile", name)
    runner = CliRunner()
    assert runner.invoke(app, ["profiles", "use", "home"]).exit_code == 0
    listed = json.loads(runner.invoke(app, ["profiles", "list", "--json"]).stdout)
    assert [(each["id"], each["default"]) for each in listed] == [("home", True), ("lab", False)]
    assert runner.invoke(app, ["logout", "--profile", "home"]).exit_code == 0
    assert runner.invoke(app, ["profiles", "list", "-q"]).stdout == "lab\n"
    assert runner.invoke(app, ["profiles", "use", "home"]).exit_code == 1


def test_health_names_the_server(run: Run) -> None:
    script = Script(
        httpx.Response(200, json={"status": "alive"}),
        httpx.Response(200, json={"status": "degraded"}),
    )
    shown = json.loads(run(script, "health", "--json").stdout)
    assert shown == {"url": "http://lab.example:8000", "live": "alive", "ready": "degraded"}


def test_metrics_are_printed_as_they_are(run: Run) -> None:
    text = "# TYPE jobs gauge\njobs 3.0\n"
    assert run(Script(httpx.Response(200, text=text)), "health", "--metrics").stdout == text
