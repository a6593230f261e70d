"""The reference of settings says what the code reads."""

from pathlib import Path

import pytest
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from deploy.checks import settings
from deploy.doctor.settings import READ, known_variables

PAGE = Path(__file__).parents[3] / "docs" / "settings.md"


def test_the_page_is_as_the_code_says() -> None:
    said = "python -m deploy.checks.settings > docs/settings.md"
    assert settings.page() == PAGE.read_text(encoding="utf-8"), said


def test_every_variable_is_there_and_described() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for each in READ:
        for name, field in each.model_fields.items():
            variable = f"{each.model_config['env_prefix']}{name.upper()}"
            assert variable in known_variables()
            assert f"| `{variable}` |" in text
            assert field.description, variable


def test_defaults_are_written_as_they_would_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    class Some(BaseSettings):
        model_config = SettingsConfigDict(env_prefix="LESIONGAN_SOME_")

        wait_seconds: float = Field(default=2.5, description="a")
        most_bytes: int = Field(default=3 * 2**20, description="b")
        good: bool = Field(default=False, description="c")
        name: str | None = Field(default=None, description="d")
        needed: int = Field(description="e")

    monkeypatch.setattr(settings, "READ", (Some,))
    rows = settings.page().splitlines()[-5:]
    assert rows == [
        "| `LESIONGAN_SOME_WAIT_SECONDS` | `2.5` | seconds | a |",
        "| `LESIONGAN_SOME_MOST_BYTES` | `3145728` (3 MiB) | bytes | b |",
        "| `LESIONGAN_SOME_GOOD` | `false` | `true` or `false` | c |",
        "| `LESIONGAN_SOME_NAME` | none | text | d |",
        "| `LESIONGAN_SOME_NEEDED` | **required** | whole number | e |",
    ]
