"""What every pod must be: PodSecurity ``restricted`` and more, limited, and asked how it is."""

import re

import pytest
import yaml

from tests.unit.deploy.kubernetes.rendering import ROOT, Rendered, Workload, amount

DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
#: What PodSecurity's profile `restricted` allows as volumes, less what nothing here needs.
VOLUMES = {"emptyDir", "persistentVolumeClaim"}
HOST = ("hostNetwork", "hostPID", "hostIPC", "hostUsers", "shareProcessNamespace")


def test_the_namespace_enforces_the_restricted_profile(rendered: Rendered) -> None:
    (namespace,) = rendered.of("Namespace")
    labels = namespace["metadata"]["labels"]
    for mode in ("enforce", "audit", "warn"):
        assert labels[f"pod-security.kubernetes.io/{mode}"] == "restricted"


def test_no_pod_may_more_than_it_must(rendered: Rendered) -> None:
    for workload in rendered.workloads():
        pod, security = workload.pod, workload.pod["securityContext"]
        assert security["runAsNonRoot"] is True
        assert security["runAsUser"] > 0
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False
        assert not [field for field in HOST if field in pod]
        assert workload.containers
        for container in workload.containers:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert not [port for port in container.get("ports", []) if "hostPort" in port]


def test_our_pods_are_the_user_that_the_image_was_made_for(rendered: Rendered) -> None:
    (user, group) = set(re.findall(r"^USER (\d+):(\d+)$", DOCKERFILE, re.MULTILINE)).pop()
    ours = [each for each in rendered.workloads() if each.kind != "StatefulSet"]
    assert ours
    for workload in ours:
        security = workload.pod["securityContext"]
        assert (security["runAsUser"], security["runAsGroup"]) == (int(user), int(group))


def test_what_can_be_written_is_bounded(rendered: Rendered) -> None:
    for workload in rendered.workloads():
        claims = {
            each["metadata"]["name"]
            for each in workload.manifest["spec"].get("volumeClaimTemplates", [])
        }
        volumes = {each["name"]: each for each in workload.pod["volumes"]}
        on_disk = 0.0
        for name, volume in volumes.items():
            assert set(volume) - {"name"} <= VOLUMES
            bounded = volume["emptyDir"]
            on_disk += amount(bounded["sizeLimit"]) if bounded.get("medium") != "Memory" else 0
            assert any(name == each["name"] for each in workload.container["volumeMounts"])
        # A pod that fills its disk limit is evicted: what its volumes may hold must fit.
        assert on_disk < amount(workload.container["resources"]["limits"]["ephemeral-storage"])
        mounts = {m["mountPath"]: m["name"] for c in workload.containers for m in c["volumeMounts"]}
        assert set(mounts.values()) == set(volumes) | claims
        assert "/tmp" in mounts


def test_a_worker_has_the_folder_that_its_image_unpacks_in(rendered: Rendered) -> None:
    assert "TMPDIR=/scratch" in DOCKERFILE
    for workload in rendered.workloads():
        if workload.container["image"].startswith("lesiongan-worker"):
            paths = [each["mountPath"] for each in workload.container["volumeMounts"]]
            assert "/scratch" in paths


def test_a_workers_image_lets_sums_on_a_gpu_have_one_order() -> None:
    assert "CUBLAS_WORKSPACE_CONFIG=:4096:8 " in DOCKERFILE


def test_everything_asks_for_what_it_needs_and_is_limited(rendered: Rendered) -> None:
    for workload in rendered.workloads():
        for container in workload.containers:
            requests, limits = (container["resources"][which] for which in ("requests", "limits"))
            assert {"cpu", "memory", "ephemeral-storage"} <= set(requests)
            assert set(requests) == set(limits)
            for resource in requests:
                assert 0 < amount(requests[resource]) <= amount(limits[resource])


def test_whatever_runs_on_is_asked_how_it_is(rendered: Rendered) -> None:
    lasting = [each for each in rendered.workloads() if each.kind != "Job"]
    assert lasting
    for workload in lasting:
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            assert set(workload.container[probe]) & {"httpGet", "exec"}, workload.name
            assert workload.container[probe]["timeoutSeconds"] >= 5
        starting = workload.container["startupProbe"]
        assert starting["periodSeconds"] * starting["failureThreshold"] >= 60


def test_images_have_tags_and_the_tags_are_ours(rendered: Rendered) -> None:
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version is not None
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    servers = {compose[name]["image"] for name in ("postgres", "redis", "minio")}
    allowed = servers | {f"lesiongan-{kind}:{version[1]}" for kind in ("api", "worker")}
    images = {each["image"] for workload in rendered.workloads() for each in workload.containers}
    assert images <= allowed
    assert not [image for image in images if image.endswith(":latest") or ":" not in image]


@pytest.mark.parametrize(("kind", "seconds"), [("training", 300), ("worker", 60), ("api", 30)])
def test_there_is_time_to_end_well(rendered: Rendered, kind: str, seconds: int) -> None:
    chosen = [each for each in rendered.workloads() if _is(each, kind)]
    assert chosen
    for workload in chosen:
        assert workload.pod["terminationGracePeriodSeconds"] >= seconds


def test_an_api_has_left_the_service_before_it_stops(rendered: Rendered) -> None:
    served = int(re.findall(r'"--timeout-graceful-shutdown", "(\d+)"', DOCKERFILE)[0])
    for workload in rendered.workloads():
        if workload.component == "api":
            pause = workload.container["lifecycle"]["preStop"]["sleep"]["seconds"]
            assert pause > 0
            assert workload.pod["terminationGracePeriodSeconds"] > pause + served


def _is(workload: Workload, kind: str) -> bool:
    if kind == "training":
        return workload.labels.get("lesiongan/training") == "exclusive"
    return workload.component == kind
