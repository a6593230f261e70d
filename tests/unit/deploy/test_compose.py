"""What docker-compose.yml passes on."""

import re
from pathlib import Path

import pytest
import yaml
from pydantic import TypeAdapter
from pydantic.fields import FieldInfo

from deploy.doctor.settings import READ

COMPOSE_FILE = Path(__file__).parents[3] / "docker-compose.yml"
GPU_FILE = COMPOSE_FILE.parent / "deploy" / "compose.gpu.yml"
DEVICES = ("LESIONGAN_GAN_DEVICE", "LESIONGAN_CLASSIFICATION_DEVICE")
#: What an .env does not set by these names.
ELSEWHERE = {
    # Compose's own: which servers run, and that they are no developer's.
    "LESIONGAN_ENVIRONMENT",
    "LESIONGAN_DATABASE_URL",
    "LESIONGAN_REDIS_URL",
    # Of the images' own probes.
    "LESIONGAN_PULSE_FILE",
    # deploy/compose.monitoring.yml asks the processes for their metrics.
    "LESIONGAN_METRICS_PORT",
    "LESIONGAN_METRICS_HOST",
    # No API's container sees a disk of the servers.
    "LESIONGAN_DATA_FOLDER",
}
#: Where Compose knows better than the code: its own servers and its own network.
OWN_DEFAULTS = {"LESIONGAN_S3_ENDPOINT", "LESIONGAN_TRUSTED_PROXIES"}


def fields() -> dict[str, FieldInfo]:
    """Of all settings, by variable."""
    return {
        f"{each.model_config['env_prefix']}{name.upper()}": field
        for each in READ
        for name, field in each.model_fields.items()
    }


def passed() -> dict[str, str | None]:
    """Default by variable that an .env may set; None where it has none and is not set then."""
    found: dict[str, str | None] = {}
    for name, value in yaml.safe_load(COMPOSE_FILE.read_text())["x-environment"].items():
        match = re.fullmatch(rf"\$\{{{name}:[-?](.*)\}}", value or "")
        if match or value is None:
            found[name] = match and match[1]
    return found


def test_every_setting_can_be_set_in_the_env_file() -> None:
    assert passed().keys() == fields().keys() - ELSEWHERE


def test_defaults_are_those_of_the_code() -> None:
    for name, text in passed().items():
        field = fields()[name]
        if text and name not in OWN_DEFAULTS and not field.is_required():
            kind: TypeAdapter[object] = TypeAdapter(field.rebuild_annotation())
            assert kind.validate_python(text) == field.default, name


def test_what_is_passed_on_unasked_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty text is neither a number nor a path."""
    servers = {
        "LESIONGAN_ENVIRONMENT": "development",
        "LESIONGAN_DATABASE_URL": "postgresql+psycopg://u:p@postgres/d",
        "LESIONGAN_REDIS_URL": "redis://:p@redis:6379/0",
    }
    for name, text in {**passed(), **servers}.items():
        if text is not None:
            monkeypatch.setenv(name, text)
    for each in READ:
        each.model_validate({})


def test_who_has_a_gpu_computes_on_it_or_not_at_all() -> None:
    """Told to, a worker under too old a driver ends; left to itself, it would take the CPU."""
    services = yaml.safe_load(GPU_FILE.read_text())["services"]
    assert len(services) == 4
    for service in services.values():
        assert service["deploy"]["resources"]["reservations"]["devices"]
        for name in DEVICES:
            assert service["environment"][name] == f"${{{name}:-cuda}}"
    assert [passed()[name] for name in DEVICES] == [None, None], "all others choose by themselves"
