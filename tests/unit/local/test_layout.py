"""The home folder and its modes."""

import os
from pathlib import Path

import pytest

from deploy.local.layout import home_folder, open_layout


def test_the_argument_beats_the_variable_beats_the_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LESIONGAN_HOME", raising=False)
    assert home_folder() == tmp_path / ".lesiongan"

    monkeypatch.setenv("LESIONGAN_HOME", "elsewhere")
    assert home_folder() == tmp_path / "elsewhere"
    assert home_folder("/given") == Path("/given")


def test_nobody_else_can_list_the_folders(tmp_path: Path) -> None:
    layout = open_layout(tmp_path / "home")

    passage = 0o711 if os.geteuid() == 0 else 0o700
    assert layout.home.stat().st_mode & 0o777 == passage
    assert layout.data.stat().st_mode & 0o777 == passage
    assert layout.logs.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_exists_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)

    open_layout(tmp_path)

    assert tmp_path.stat().st_mode & 0o777 == 0o750
