"""Which server, and as whom."""

import json
import os
from pathlib import Path

import pytest

from lesiongan.client.server import Server, find_server
from lesiongan.errors import NoServer


def stack_in(folder: Path) -> None:
    (folder / ".lesiongan").mkdir()
    content = {"url": "http://127.0.0.1:8123", "key": "lg_stack"}
    path = folder / ".lesiongan" / "stack.json"
    path.write_text(json.dumps(content))
    path.chmod(0o600)


def test_stack_of_a_parent_folder_is_found(tmp_path: Path) -> None:
    stack_in(tmp_path)
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert find_server(environment={}, folder=below) == Server("http://127.0.0.1:8123", "lg_stack")


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_a_stack_that_others_may_write_is_as_none(tmp_path: Path, mode: int) -> None:
    stack_in(tmp_path)
    (tmp_path / ".lesiongan" / "stack.json").chmod(mode)
    with pytest.raises(NoServer):
        find_server(environment={}, folder=tmp_path)


def test_a_stack_of_another_user_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack_in(tmp_path)
    monkeypatch.setattr("os.geteuid", lambda: os.getuid() + 1)
    with pytest.raises(NoServer):
        find_server(environment={}, folder=tmp_path)


def test_arguments_win_over_environment_and_stack(tmp_path: Path) -> None:
    stack_in(tmp_path)
    variables = {"LESIONGAN_URL": "http://env:1", "LESIONGAN_KEY": "lg_env"}
    found = find_server("http://arg:2/", "lg_arg", environment=variables, folder=tmp_path)
    assert found == Server("http://arg:2", "lg_arg")
    assert find_server(environment=variables, folder=tmp_path) == Server("http://env:1", "lg_env")


def test_the_stacks_key_goes_to_no_other_server(tmp_path: Path) -> None:
    stack_in(tmp_path)
    assert find_server("http://elsewhere:1", environment={}, folder=tmp_path).key is None
    assert find_server("http://127.0.0.1:8123/", environment={}, folder=tmp_path).key == "lg_stack"


def test_no_server_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(NoServer) as caught:
        find_server(environment={}, folder=tmp_path)
    assert "lesiongan up" in (caught.value.hint or "")


@pytest.mark.parametrize(
    "url", ["127.0.0.1:8000", "ftp://x", "http://", "http://x:99999999", "//x"]
)
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(NoServer):
        find_server(url, "lg_x", environment={})


@pytest.mark.parametrize("key", ["lg_\n", "lg_ü", "lg a"])
def test_a_key_that_no_header_can_carry(key: str) -> None:
    with pytest.raises(NoServer):
        find_server("http://x", key, environment={})


def test_a_damaged_stack_file_is_as_none(tmp_path: Path) -> None:
    (tmp_path / ".lesiongan").mkdir()
    (tmp_path / ".lesiongan" / "stack.json").write_text('{"url": ')
    with pytest.raises(NoServer):
        find_server(environment={}, folder=tmp_path)


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://localhost", True),
        ("http://[::1]:1", True),
        ("http://127.0.0.1.example.org", False),
        ("https://lab.example", False),
    ],
)
def test_loopback(url: str, loopback: bool) -> None:
    assert Server(url, None).loopback is loopback
