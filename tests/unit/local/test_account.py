"""Whom PostgreSQL runs as, and where that user can reach its files."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import account
from deploy.local.account import can_reach, outside_folder, own_folder, postgres_account
from deploy.local.failures import StackError

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may lend another user")


@pytest.fixture
def open_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder that everybody can pass through (pytest's own are closed)."""
    path = Path("/var/tmp") / f"lesiongan-test-{os.getpid()}"
    path.mkdir(mode=0o711)
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root is the exception")
def test_an_ordinary_user_runs_it_himself(tmp_path: Path) -> None:
    assert postgres_account() is None
    assert outside_folder(tmp_path, None) is None


@as_root
def test_root_lends_a_user_who_is_not_root() -> None:
    user = postgres_account()

    assert user is not None
    assert user.uid != 0


@as_root
def test_a_closed_folder_on_the_way_is_not_opened(open_folder: Path) -> None:
    user = postgres_account()
    closed = open_folder / "closed"
    (closed / "data").mkdir(parents=True, mode=0o711)
    closed.chmod(0o700)

    place = outside_folder(closed / "data", user)

    assert place is not None
    assert can_reach(user, place.parent)
    assert not place.exists()
    assert closed.stat().st_mode & 0o777 == 0o700


@as_root
def test_an_open_way_is_taken(open_folder: Path) -> None:
    assert outside_folder(open_folder, postgres_account()) is None


def test_its_folder_is_its_own_and_closed(open_folder: Path) -> None:
    user = postgres_account()
    path = open_folder / "own"

    own_folder(path, user)
    own_folder(path, user)

    assert path.stat().st_uid == (os.geteuid() if user is None else user.uid)
    assert path.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_somebody_put_there_is_refused(open_folder: Path) -> None:
    target = open_folder / "target"
    target.mkdir()
    (open_folder / "trap").symlink_to(target)

    with pytest.raises(StackError, match="trap is not a folder"):
        own_folder(open_folder / "trap", postgres_account())


@as_root
def test_programs_out_of_reach_are_copied_and_run(open_folder: Path, tmp_path: Path) -> None:
    user = postgres_account()
    closed = tmp_path / "site"
    package = closed / "tool"
    (package / "bin").mkdir(parents=True)
    (package / "bin" / "run").write_text("#!/bin/sh\ncat ../tool.libs/word\n")
    (package / "bin" / "run").chmod(0o700)
    (closed / "tool.libs").mkdir(mode=0o700)
    (closed / "tool.libs" / "word").write_text("hello")
    folder = open_folder / "own"
    own_folder(folder, user)

    reached = account.reachable_copy(package, "1", folder, user)

    assert reached != package
    assert can_reach(user, reached / "bin" / "run")
    assert can_reach(user, reached.with_name("tool.libs") / "word", "-r")
    assert not can_reach(user, package)
