"""Secrets are made once, differ between installations, and are private."""

from pathlib import Path

import pytest

from deploy.local.credentials import load_or_make
from deploy.local.failures import StackError
from deploy.local.layout import open_layout


def test_they_stay_the_same(tmp_path: Path) -> None:
    layout = open_layout(tmp_path)

    first = load_or_make(layout, postgres_folder="")

    assert load_or_make(layout, postgres_folder="/other") == first
    assert layout.secrets.stat().st_mode & 0o777 == 0o600
    assert first.api_key.startswith("lg_")


def test_no_two_installations_share_one(tmp_path: Path) -> None:
    first = load_or_make(open_layout(tmp_path / "a"), postgres_folder="")
    second = load_or_make(open_layout(tmp_path / "b"), postgres_folder="")

    for name in first.__slots__:
        if name != "postgres_folder":
            assert getattr(first, name) != getattr(second, name), name


@pytest.mark.parametrize("damage", ["", "{", '{"api_key": "lg_1"}'])
def test_a_damaged_file_is_not_replaced(tmp_path: Path, damage: str) -> None:
    layout = open_layout(tmp_path)
    layout.secrets.write_text(damage)

    with pytest.raises(StackError, match=r"secrets\.json"):
        load_or_make(layout, postgres_folder="")

    assert layout.secrets.read_text() == damage
