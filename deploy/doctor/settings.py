"""Settings: those that are wrong, misspelt, or fit for a developer's machine only."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from pydantic_settings import BaseSettings

from deploy.doctor.finding import Finding, Findings, error, ok, warning
from services.augmentation.settings import AugmentationSettings
from services.classification.settings import ClassificationSettings
from services.gan.settings import GanSettings
from services.preprocessing.settings import PreprocessingSettings
from shared.settings import DEFAULT_SECRET, InvalidSettings, Settings, get_settings

CHECK = "settings"
READ: tuple[type[BaseSettings], ...] = (
    Settings,
    AugmentationSettings,
    ClassificationSettings,
    GanSettings,
    PreprocessingSettings,
)
#: Of the client, of docker-compose.yml, and of the first start.
ELSEWHERE = frozenset(
    f"LESIONGAN_{name}"
    for name in [
        "BIND",
        "BOOTSTRAP_KEY",
        "GRAFANA_PASSWORD",
        "GRAFANA_PORT",
        "HOME",
        "KEY",
        "METRICS_KEEP",
        "MINIO_MEMORY",
        "PORT",
        "POSTGRES_MEMORY",
        "POSTGRES_PASSWORD",
        "REDIS_PASSWORD",
        "TRACEBACK",
        "TRAIN_GPU",
        "TRAIN_MEMORY",
        "URL",
        "VERSION",
    ]
)
SHORT = 16


def read_settings() -> tuple[Settings | None, Finding]:
    """The settings of the environment, or why there are none."""
    try:
        return get_settings(), ok(CHECK, "complete and well formed")
    except InvalidSettings as invalid:
        todo = "correct the variables that it names; docs/operations.md lists them all"
        return None, error(CHECK, invalid.detail, todo)


def check_settings(settings: Settings, variables: Mapping[str, str]) -> Findings:
    """What is set, but should not be so."""
    unknown = sorted(set(variables) - known_variables())
    if unknown:
        yield warning(
            CHECK, f"nothing reads {', '.join(unknown)}", "correct the spelling, or unset it"
        )
    secret = settings.secret.get_secret_value()
    if secret == DEFAULT_SECRET or len(secret) < SHORT:
        said = "LESIONGAN_SECRET can be guessed, and with it patients' pseudonyms"
        yield warning(CHECK, said, "before real data come in: a random one, as `make env` makes it")
    if settings.environment == "development":
        said = "LESIONGAN_ENVIRONMENT is development: well-known passwords are allowed"
        yield warning(CHECK, said, "leave it unset on a server")
    address = urlsplit(settings.public_url)
    if address.scheme == "http" and address.hostname not in ("127.0.0.1", "localhost", "::1"):
        said = f"clients are told {settings.public_url}: keys and images cross the network in clear"
        yield warning(CHECK, said, "put TLS before it, and set LESIONGAN_PUBLIC_URL to https://…")


def known_variables() -> frozenset[str]:
    """Every variable that something of ours reads."""
    ours = {
        f"{each.model_config.get('env_prefix', '')}{name.upper()}"
        for each in READ
        for name in each.model_fields
    }
    return ELSEWHERE | ours
