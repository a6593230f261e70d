"""What the doctor says of settings."""

from typing import Any

import pytest

from deploy.doctor.installation import NothingHere, find_installation
from deploy.doctor.settings import check_settings, known_variables, read_settings
from deploy.local.layout import Layout
from shared.settings import Settings, get_settings

GOOD: dict[str, Any] = {
    "database_url": "postgresql+psycopg://u:p@127.0.0.1/db",
    "redis_url": "redis://:p@127.0.0.1",
    "s3_endpoint": "127.0.0.1:9000",
    "s3_access_key": "a",
    "s3_secret_key": "s",
    "secret": "0123456789abcdef",
}


@pytest.mark.parametrize(
    ("members", "variables", "said"),
    [
        ({}, {"LESIONGAN_METRIC_PORT"}, "LESIONGAN_METRIC_PORT"),
        ({"environment": "development", "secret": "change-me"}, set(), "LESIONGAN_SECRET"),
        ({"environment": "development"}, set(), "LESIONGAN_ENVIRONMENT"),
        ({"public_url": "http://lab.example:8000"}, set(), "http://lab.example:8000"),
    ],
)
def test_what_should_not_be_so(members: dict[str, Any], variables: set[str], said: str) -> None:
    settings = Settings.model_validate({**GOOD, **members})
    found = list(check_settings(settings, dict.fromkeys(variables, "1")))
    assert any(said in each.said and each.level == "warning" and each.todo for each in found)


def test_good_settings_are_not_spoken_of() -> None:
    settings = Settings.model_validate({**GOOD, "public_url": "https://lab.example"})
    assert list(check_settings(settings, {"LESIONGAN_GAN_THREADS": "2"})) == []


def test_every_variable_of_ours_is_known() -> None:
    assert {
        "LESIONGAN_OTLP_ENDPOINT",
        "LESIONGAN_GAN_THREADS",
        "LESIONGAN_URL",
    } <= known_variables()


def test_missing_settings_are_one_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LESIONGAN_DATABASE_URL", "postgresql+psycopg://u:p@127.0.0.1/db")
    for name in ("REDIS_URL", "S3_ENDPOINT", "SECRET"):
        monkeypatch.delenv(f"LESIONGAN_{name}", raising=False)
    get_settings.cache_clear()
    settings, found = read_settings()
    get_settings.cache_clear()
    assert settings is None
    assert found.level == "error"
    assert "LESIONGAN_REDIS_URL" in found.said


def test_where_nothing_is_nothing_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.delenv("LESIONGAN_DATABASE_URL", raising=False)
    with pytest.raises(NothingHere):
        find_installation(Layout(tmp_path / "none"))
    assert not (tmp_path / "none").exists()
