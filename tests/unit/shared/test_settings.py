"""Settings: what is refused, and how it is said."""

import pytest
from pydantic import ValidationError

from shared.settings import DEFAULT_SECRET, InvalidSettings, Settings, get_settings

GIVEN = {
    "database_url": "postgresql+psycopg://u:p@127.0.0.1:5432/d",
    "redis_url": "redis://:p@127.0.0.1:6379/0",
    "s3_endpoint": "127.0.0.1:9000",
    "s3_access_key": "access",
    "s3_secret_key": "s3-hunter2",
    "secret": "0123456789abcdef",
}


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"LESIONGAN_{name.upper()}", raising=False)
    get_settings.cache_clear()
    for name, value in GIVEN.items():
        monkeypatch.setenv(f"LESIONGAN_{name.upper()}", value)


def test_settings_come_from_the_environment() -> None:
    found = get_settings()
    assert found.database_url == GIVEN["database_url"]
    assert found.environment == "production", "the strictest one is the default"
    get_settings.cache_clear()


@pytest.mark.parametrize("environment", ["production", "local"])
@pytest.mark.parametrize("secret", [DEFAULT_SECRET, "", "short"])
def test_a_default_secret_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, environment: str, secret: str
) -> None:
    monkeypatch.setenv("LESIONGAN_ENVIRONMENT", environment)
    monkeypatch.setenv("LESIONGAN_SECRET", secret)
    with pytest.raises(InvalidSettings, match="LESIONGAN_SECRET"):
        get_settings()


def test_development_may_use_it() -> None:
    found = Settings.model_validate({**GIVEN, "environment": "development", "secret": "change-me"})
    assert found.secret.get_secret_value() == DEFAULT_SECRET


def test_every_fault_is_named_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LESIONGAN_REDIS_URL")
    monkeypatch.setenv("LESIONGAN_LEASE_SECONDS", "hunter2")
    with pytest.raises(InvalidSettings) as caught:
        get_settings()
    assert "LESIONGAN_REDIS_URL" in caught.value.detail
    assert "LESIONGAN_LEASE_SECONDS" in caught.value.detail
    assert "hunter2" not in caught.value.detail


def test_secrets_do_not_show() -> None:
    shown = repr(Settings.model_validate(GIVEN))
    assert "s3-hunter2" not in shown
    assert GIVEN["secret"] not in shown


@pytest.mark.parametrize("change", [{"lease_seconds": 0}, {"upload_max_bytes": 0}])
def test_numbers_have_bounds(change: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({**GIVEN, **change})


@pytest.mark.parametrize("endpoint", ["", "http://minio:9000", "minio:9000/"])
def test_an_s3_endpoint_is_host_and_port(endpoint: str) -> None:
    with pytest.raises(ValidationError, match="is not host:port"):
        Settings.model_validate({**GIVEN, "s3_endpoint": endpoint})


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"s3_access_key": "minioadmin"}, "LESIONGAN_S3_ACCESS_KEY"),
        ({"s3_secret_key": "minioadmin"}, "LESIONGAN_S3_SECRET_KEY"),
        ({"database_url": "postgresql+psycopg://u:postgres@h/d"}, "LESIONGAN_DATABASE_URL"),
        ({"redis_url": "redis://:password@h:6379/0"}, "LESIONGAN_REDIS_URL"),
    ],
)
def test_a_well_known_password_stops_the_start(change: dict[str, str], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        Settings.model_validate({**GIVEN, **change})
    Settings.model_validate({**GIVEN, **change, "environment": "development"})


def test_proxies_are_networks() -> None:
    found = Settings.model_validate({**GIVEN, "trusted_proxies": "10.0.0.0/8, fd12::/64"})
    assert [str(network) for network in found.trusted_proxies] == ["10.0.0.0/8", "fd12::/64"]
    with pytest.raises(ValidationError):
        Settings.model_validate({**GIVEN, "trusted_proxies": "nginx"})


OIDC = {
    "oidc_issuer": "https://issuer.example/realms/lab",
    "oidc_audience": "lesiongan-api",
    "oidc_roles": "boss=admin, worker=submit,,guest=read",
}


def test_no_issuer_is_trusted_unless_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ISSUER", "AUDIENCE", "ROLES", "ROLES_CLAIM", "JWKS_URL", "CA_FILE"):
        monkeypatch.setenv(f"LESIONGAN_OIDC_{name}", "")
    found = get_settings()
    assert (found.oidc_issuer, found.oidc_jwks_url, found.oidc_ca_file) == (None, None, None)
    assert found.oidc_roles_claim == "roles"


def test_roles_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in OIDC.items():
        monkeypatch.setenv(f"LESIONGAN_{name.upper()}", value)
    assert get_settings().oidc_roles == {"boss": "admin", "worker": "submit", "guest": "read"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"oidc_audience": ""}, "LESIONGAN_OIDC_ISSUER needs LESIONGAN_OIDC_AUDIENCE"),
        ({"oidc_roles": ""}, "LESIONGAN_OIDC_ISSUER needs LESIONGAN_OIDC_ROLES"),
        ({"oidc_roles": "boss"}, "LESIONGAN_OIDC_ROLES: each role is role=scope"),
        ({"oidc_roles": "=admin"}, "LESIONGAN_OIDC_ROLES: each role is role=scope"),
        ({"oidc_roles": "a=read,a=admin"}, "LESIONGAN_OIDC_ROLES: a role is there twice"),
        ({"oidc_roles": "boss=root"}, "LESIONGAN_OIDC_ROLES (boss): Input should be 'read'"),
        ({"oidc_issuer": "issuer.example"}, "LESIONGAN_OIDC_ISSUER is no http(s) address"),
        ({"oidc_issuer": "https://[::1"}, "LESIONGAN_OIDC_ISSUER is no address"),
        ({"oidc_issuer": "https://me:hunter2@x.example"}, "neither a user nor a fragment"),
        ({"oidc_issuer": "http://issuer.example"}, "LESIONGAN_OIDC_ISSUER must be https"),
        ({"oidc_jwks_url": "http://issuer.example/k"}, "LESIONGAN_OIDC_JWKS_URL must be https"),
    ],
)
def test_half_an_issuer_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, str], said: str
) -> None:
    for name, value in {**OIDC, **change}.items():
        monkeypatch.setenv(f"LESIONGAN_{name.upper()}", value)
    with pytest.raises(InvalidSettings) as caught:
        get_settings()
    assert said in caught.value.detail
    assert "\n" not in caught.value.detail
    assert "hunter2" not in caught.value.detail


@pytest.mark.parametrize(
    "issuer", ["http://127.0.0.1:8080/x", "http://localhost", "http://[::1]:1"]
)
def test_an_issuer_of_this_machine_may_be_plain(issuer: str) -> None:
    Settings.model_validate({**GIVEN, **OIDC, "oidc_issuer": issuer})


@pytest.mark.parametrize("environment", ["development", "local"])
def test_outside_production_any_issuer_may_be_plain(environment: str) -> None:
    plain = {"oidc_issuer": "http://issuer.example", "environment": environment}
    Settings.model_validate({**GIVEN, **OIDC, **plain})


def test_traces_go_nowhere_unless_an_address_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LESIONGAN_OTLP_ENDPOINT", "")
    assert get_settings().otlp_endpoint is None
    get_settings.cache_clear()
    monkeypatch.setenv("LESIONGAN_OTLP_ENDPOINT", "collector:4318")
    with pytest.raises(InvalidSettings, match=r"LESIONGAN_OTLP_ENDPOINT.*not http://host:port"):
        get_settings()
    get_settings.cache_clear()
