"""Variables: each is one that the code reads, and none of them is a password in plain sight."""

from urllib.parse import urlsplit

import pytest
from pydantic_settings import BaseSettings

from services.augmentation.settings import AugmentationSettings
from services.classification.settings import ClassificationSettings
from services.gan.settings import GanSettings
from services.preprocessing.settings import PreprocessingSettings
from shared.settings import WELL_KNOWN, Settings
from tests.unit.deploy.kubernetes.environment import SECRET, variables
from tests.unit.deploy.kubernetes.rendering import Rendered, overlay

CLASSES: tuple[type[BaseSettings], ...] = (
    Settings,
    PreprocessingSettings,
    AugmentationSettings,
    GanSettings,
    ClassificationSettings,
)
KNOWN = {
    f"{cls.model_config['env_prefix']}{name.upper()}"
    for cls in CLASSES
    for name in cls.model_fields
}


def test_every_variable_is_a_setting(rendered: Rendered) -> None:
    for workload in rendered.workloads():
        for container in workload.containers:
            given = {n for n in variables(rendered, container) if n.startswith("LESIONGAN_")}
            first_key = {"LESIONGAN_BOOTSTRAP_KEY"} if workload.name == "prepare" else set()
            assert given <= KNOWN | first_key
    assert set(rendered.config("settings")) <= KNOWN


def test_every_process_of_ours_starts_with_what_it_is_given(
    rendered: Rendered, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = [each for each in rendered.workloads() if each.kind != "StatefulSet"]
    assert len(ours) >= 14
    for workload in ours:
        for container in workload.containers:
            with monkeypatch.context() as patch:
                for name, value in variables(rendered, container).items():
                    patch.setenv(name, value)
                settings = Settings.model_validate({})
                threads = GanSettings().threads, ClassificationSettings().threads
            assert settings.environment == "production"
            assert settings.secret.get_secret_value() == SECRET["LESIONGAN_SECRET"]
            address = urlsplit(settings.database_url)
            assert address.password == SECRET["LESIONGAN_POSTGRES_PASSWORD"]
            assert address.port == 5432
            # Threads of torch: as many as there are cores for.
            if workload.component == "worker" and container is workload.container:
                cores = int(container["resources"]["limits"]["cpu"])
                assert threads == (cores, cores)


def test_who_has_a_gpu_computes_on_it_or_not_at_all(rendered: Rendered) -> None:
    for workload in rendered.workloads():
        for container in workload.containers:
            has_one = "nvidia.com/gpu" in container.get("resources", {}).get("limits", {})
            given = variables(rendered, container)
            for name in ("LESIONGAN_GAN_DEVICE", "LESIONGAN_CLASSIFICATION_DEVICE"):
                assert given.get(name) == ("cuda" if has_one else None)


def test_addresses_are_those_of_the_services() -> None:
    rendered = overlay("cpu")
    servers, settings = rendered.config("servers"), rendered.config("settings")
    namespace = rendered.of("Namespace")[0]["metadata"]["name"]
    # With the namespace, for KEDA asks from another one.
    assert servers["POSTGRES_HOST"] == f"postgres.{namespace}.svc"
    named = {each["metadata"]["name"]: each["spec"]["ports"] for each in rendered.of("Service")}
    assert named["postgres"][0]["port"] == int(servers["POSTGRES_PORT"])
    assert named[servers["REDIS_HOST"]][0]["port"] == int(servers["REDIS_PORT"])
    host, _, port = settings["LESIONGAN_S3_ENDPOINT"].partition(":")
    assert named[host][0]["port"] == int(port)


def test_servers_that_are_elsewhere_are_asked_over_tls() -> None:
    rendered = overlay("external")
    given = variables(rendered, rendered.workload("gateway").container)
    assert "sslmode=verify-full&sslrootcert=/" in given["LESIONGAN_DATABASE_URL"]
    assert given["LESIONGAN_REDIS_URL"].startswith("rediss://:")
    assert given["LESIONGAN_REDIS_URL"].endswith("?ssl_cert_reqs=required")
    assert given["LESIONGAN_S3_SECURE"] == "true"
    assert not rendered.of("StatefulSet")


def test_no_secret_is_in_what_is_applied(rendered: Rendered) -> None:
    assert not rendered.of("Secret")
    for workload in rendered.workloads():
        for container in workload.containers:
            for entry in container["env"]:
                if entry["name"].endswith(("PASSWORD", "SECRET", "_KEY", "AUTH", "_USER")):
                    known = {"POSTGRES_USER"}
                    assert "secretKeyRef" in entry.get("valueFrom", {}) or entry["name"] in known
                assert entry.get("value") not in WELL_KNOWN
    for config in rendered.of("ConfigMap"):
        assert not WELL_KNOWN.intersection(config["data"].values())


def test_each_pod_has_only_the_secrets_that_it_needs(rendered: Rendered) -> None:
    for workload in rendered.workloads():
        keys = {
            entry["valueFrom"]["secretKeyRef"]["key"]
            for container in workload.containers
            for entry in container["env"]
            if "secretKeyRef" in entry.get("valueFrom", {})
        }
        assert keys <= set(SECRET)
        assert ("LESIONGAN_BOOTSTRAP_KEY" in keys) is (workload.name == "prepare")
        if workload.kind == "StatefulSet":
            assert "LESIONGAN_SECRET" not in keys


def test_servers_and_clients_are_given_the_same_passwords() -> None:
    rendered = overlay("cpu")
    gateway = variables(rendered, rendered.workload("gateway").container)
    postgres, redis, minio = (
        variables(rendered, rendered.workload(name).container)
        for name in ("postgres", "redis", "minio")
    )
    assert f":{postgres['POSTGRES_PASSWORD']}@" in gateway["LESIONGAN_DATABASE_URL"]
    assert f"//{postgres['POSTGRES_USER']}:" in gateway["LESIONGAN_DATABASE_URL"]
    assert f"/{postgres['POSTGRES_DB']}?" in gateway["LESIONGAN_DATABASE_URL"]
    assert f":{redis['REDISCLI_AUTH']}@" in gateway["LESIONGAN_REDIS_URL"]
    assert "$(REDISCLI_AUTH)" in rendered.workload("redis").container["args"]
    assert minio["MINIO_ROOT_USER"] == gateway["LESIONGAN_S3_ACCESS_KEY"]
    assert minio["MINIO_ROOT_PASSWORD"] == gateway["LESIONGAN_S3_SECRET_KEY"]
    assert minio["MINIO_SITE_REGION"] == gateway["LESIONGAN_S3_REGION"]
