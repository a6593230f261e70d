"""``lesiongan`` as a person's shell runs it: processes, exit codes, and the profiles' file."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import Stack

PROGRAM = Path(sys.executable).with_name("lesiongan")


def lesiongan(
    folder: Path, *arguments: str, given: str = "", **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run it in ``folder``, where nothing says which server there is."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LESIONGAN_")}
    return subprocess.run(
        [str(PROGRAM), *arguments],
        cwd=folder,
        env={**kept, "XDG_CONFIG_HOME": str(folder / "config"), **variables},
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_profile_is_made_used_and_forgotten(stack: Stack, tmp_path: Path) -> None:
    url, key = stack.description["url"], stack.description["key"]
    made = lesiongan(tmp_path, "login", url, "--profile", "lab", given=f"{key}\n")
    assert made.returncode == 0, made.stderr
    assert key not in made.stdout + made.stderr
    file = tmp_path / "config" / "lesiongan" / "profiles.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    listed = lesiongan(tmp_path, "jobs", "list", "--json")
    assert listed.returncode == 0, "the first profile is the default"
    assert isinstance(json.loads(listed.stdout), list)
    assert lesiongan(tmp_path, "logout", "--profile", "lab").returncode == 0
    gone = lesiongan(tmp_path, "jobs", "list")
    assert gone.returncode == 1
    assert "no server is known" in gone.stderr


def test_a_key_that_is_worth_nothing_is_not_kept(stack: Stack, tmp_path: Path) -> None:
    done = lesiongan(tmp_path, "login", stack.description["url"], "--key", "lg_wrong")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "config").exists()


def test_a_job_that_fails_is_exit_code_1(stack: Stack, tmp_path: Path) -> None:
    url, key = stack.description["url"], stack.description["key"]
    (tmp_path / "scans" / "liver").mkdir(parents=True)
    (tmp_path / "scans" / "liver" / "a.png").write_bytes(b"no PNG")
    done = lesiongan(tmp_path, "datasets", "upload", "scans", "--url", url, "--key", key)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1].startswith("error: job job_")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["jobs", "list", "--url", "http://127.0.0.1:1"], 1, "nothing answers"),
        (["jobs", "list", "--url", "lab"], 1, "is not the address of a server"),
        (["jobs", "list", "--profile", "moon"], 1, "no profile 'moon'"),
        (["jobs", "lst"], 2, "No such command"),
    ],
)
def test_what_goes_wrong_is_said(
    tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    done = lesiongan(tmp_path, *arguments)
    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_shells_can_complete(tmp_path: Path) -> None:
    shown = lesiongan(
        tmp_path,
        _LESIONGAN_COMPLETE="complete_bash",
        COMP_WORDS="lesiongan gans sa",
        COMP_CWORD="2",
    )
    assert shown.stdout.split() == ["sample"]
