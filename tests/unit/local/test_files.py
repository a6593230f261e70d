"""Private files that are replaced whole."""

from pathlib import Path

import pytest

from deploy.local.files import read_object, write_private


def test_what_is_written_is_read_and_private(tmp_path: Path) -> None:
    path = tmp_path / "a.json"

    write_private(path, {"key": "lg_1"})

    assert read_object(path) == {"key": "lg_1"}
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_failed_write_leaves_the_old_content_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_private(path, {"key": "old"})

    with pytest.raises(TypeError):
        write_private(path, {"key": object()})

    assert read_object(path) == {"key": "old"}
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", ["", "{", "[1]"])
def test_what_is_no_object_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.json").write_text(content)

    assert read_object(tmp_path / "a.json") is None
    assert read_object(tmp_path / "missing.json") is None
