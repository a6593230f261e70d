"""Servers by name, and the file that keeps them."""

import stat
from pathlib import Path

import pytest

from lesiongan.client.profiles import (
    Profile,
    Profiles,
    profiles_file,
    read_profiles,
    write_profiles,
)
from lesiongan.client.server import Server, find_server
from lesiongan.errors import NoServer
from tests.unit.sdk.test_server import stack_in

LAB = Profile("https://lab.example", "lg_lab")
HOME = Profile("http://127.0.0.1:9", "lg_home")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment with two profiles, of which lab is the default."""
    variables = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    kept = Profiles().with_server("lab", LAB).with_server("home", HOME)
    write_profiles(profiles_file(variables), kept)
    return variables


def test_what_is_written_is_read(environment: dict[str, str]) -> None:
    kept = read_profiles(profiles_file(environment))
    assert kept == Profiles("lab", {"lab": LAB, "home": HOME})


def test_only_the_owner_reads_keys(environment: dict[str, str]) -> None:
    path = profiles_file(environment)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [each.name for each in path.parent.iterdir()] == ["profiles.json"]


def test_a_profile_is_found_by_argument_environment_and_default(
    environment: dict[str, str], tmp_path: Path
) -> None:
    lab, home = Server(LAB.url, LAB.key), Server(HOME.url, HOME.key)
    assert find_server(environment=environment, folder=tmp_path) == lab
    named = environment | {"LESIONGAN_PROFILE": "home"}
    assert find_server(environment=named, folder=tmp_path) == home
    assert find_server(profile="lab", environment=named, folder=tmp_path) == lab


def test_an_address_wins_and_finds_its_own_key_only(
    environment: dict[str, str], tmp_path: Path
) -> None:
    found = find_server("https://lab.example/", environment=environment, folder=tmp_path)
    assert found == Server("https://lab.example", "lg_lab")
    assert find_server("https://x.example", environment=environment, folder=tmp_path).key is None
    variables = environment | {"LESIONGAN_URL": "https://x.example", "LESIONGAN_PROFILE": "lab"}
    assert find_server(environment=variables, folder=tmp_path) == Server("https://x.example", None)


def test_the_stack_of_this_folder_comes_before_the_default(
    environment: dict[str, str], tmp_path: Path
) -> None:
    stack_in(tmp_path)
    assert find_server(environment=environment, folder=tmp_path).key == "lg_stack"
    found = find_server(profile="lab", environment=environment, folder=tmp_path)
    assert found == Server(LAB.url, LAB.key)


def test_a_named_profile_keeps_its_key_from_the_environments(
    environment: dict[str, str], tmp_path: Path
) -> None:
    variables = environment | {"LESIONGAN_KEY": "lg_other"}
    assert find_server(profile="lab", environment=variables, folder=tmp_path).key == "lg_lab"


def test_a_profile_that_is_not_there(environment: dict[str, str]) -> None:
    with pytest.raises(NoServer, match="no profile 'moon'") as caught:
        find_server(profile="moon", environment=environment)
    assert "known: home, lab" in (caught.value.hint or "")


def test_without_the_default_none_is_meant() -> None:
    kept = Profiles().with_server("lab", LAB).with_server("home", HOME).without("lab")
    assert kept == Profiles(None, {"home": HOME})


def test_a_relative_configuration_folder_is_ignored() -> None:
    assert profiles_file({"XDG_CONFIG_HOME": "here"}) == profiles_file({})


@pytest.mark.parametrize("content", ["{", "[]", '{"servers": {"a": {"no": 1}}, "default": null}'])
def test_a_damaged_file_is_said(tmp_path: Path, content: str) -> None:
    path = tmp_path / "profiles.json"
    path.write_text(content)
    with pytest.raises(NoServer, match="damaged"):
        read_profiles(path)
