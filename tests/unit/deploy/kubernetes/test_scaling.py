"""How many of each may run, and that no training is ended to have fewer."""

import inspect
import math
import re

import pytest
import yaml

from services.worker import TRAINING
from shared.db.engine import make_engine
from tests.unit.deploy.kubernetes.environment import variables
from tests.unit.deploy.kubernetes.rendering import (
    KUBERNETES,
    OVERLAYS,
    ROOT,
    Manifest,
    Rendered,
    Workload,
    overlay,
)

GPU = "nvidia.com/gpu"
#: Of an API: make_engine lends twice its pool, and the watcher has one of its own.
API = 2 * inspect.signature(make_engine).parameters["pool_size"].default + 1
#: That one process may open. Those that are no API have pools of 4.
CONNECTIONS = {"api": API, "worker": 8, "sweeper": 8, "webhooks": 8, "prepare": 2}
#: Of Postgres itself, of KEDA, and of a person who looks.
OTHERS = 20


def scaled(rendered: Rendered) -> dict[str, Manifest]:
    return {each["metadata"]["name"]: each["spec"] for each in rendered.of("ScaledObject")}


def on_gpus(rendered: Rendered) -> dict[str, Workload]:
    return {
        each.name: each
        for each in rendered.workloads()
        if GPU in each.container["resources"]["limits"]
    }


def test_a_query_asks_for_the_queue_of_the_worker_that_it_scales() -> None:
    rendered = overlay("gpu-autoscale")
    skeletons = set()
    for name, spec in scaled(rendered).items():
        (queue,) = rendered.workload(spec["scaleTargetRef"]["name"]).queues
        (trigger,) = spec["triggers"]
        assert name == spec["scaleTargetRef"]["name"]
        assert trigger["type"] == "postgresql"
        query = trigger["metadata"]["query"]
        assert query.count(f"'{queue}'") == 1
        skeletons.add(query.replace(f"'{queue}'", "'?'"))
        assert float(trigger["metadata"]["targetQueryValue"]) >= 1
        assert rendered.named("TriggerAuthentication", trigger["authenticationRef"]["name"])
    assert len(skeletons) == 1


def test_keda_signs_in_as_the_processes_do() -> None:
    rendered = overlay("gpu-autoscale")
    spec = rendered.named("TriggerAuthentication", "ledger")["spec"]
    names = {each["metadata"]["name"]: each["data"] for each in rendered.of("ConfigMap")}
    given = {e["parameter"]: names[e["name"]][e["key"]] for e in spec["configMapTargetRef"]}
    assert set(given) == {"host", "port", "userName", "dbName", "sslmode"}
    (password,) = spec["secretTargetRef"]
    env = variables(rendered, rendered.workload("gateway").container)
    assert (password["name"], password["parameter"]) == ("lesiongan", "password")
    assert password["key"] == "LESIONGAN_POSTGRES_PASSWORD"
    assert (
        env["LESIONGAN_DATABASE_URL"]
        .split("@")[1]
        .startswith(f"{given['host']}:{given['port']}/{given['dbName']}?sslmode={given['sslmode']}")
    )


def test_trainings_only_ever_grow_until_all_of_them_have_ended() -> None:
    trainings = [q for q in TRAINING if scaled(overlay("gpu-autoscale"))[f"worker-{q}"]]
    assert sorted(trainings) == sorted(TRAINING)
    for name, spec in scaled(overlay("gpu-autoscale")).items():
        behaviour = spec["advanced"].get("horizontalPodAutoscalerConfig", {}).get("behavior")
        if name.removeprefix("worker-") in TRAINING:
            assert behaviour == {"scaleDown": {"selectPolicy": "Disabled"}}
        else:
            assert behaviour is None


def test_a_person_who_waits_finds_a_worker() -> None:
    least = {
        name: spec["minReplicaCount"] for name, spec in scaled(overlay("gpu-autoscale")).items()
    }
    assert least["worker-interactive"] >= 1
    assert least["worker-gan-sample"] >= 1


@pytest.mark.parametrize("name", OVERLAYS)
def test_nobody_ends_a_training_to_make_room(name: str) -> None:
    for workload in overlay(name).workloads():
        if workload.labels.get("lesiongan/training") == "exclusive":
            said = workload.manifest["spec"]["template"]["metadata"]["annotations"]
            assert said["cluster-autoscaler.kubernetes.io/safe-to-evict"] == "false"
            assert said["karpenter.sh/do-not-disrupt"] == "true"
        if workload.component == "worker":
            rolling = workload.manifest["spec"]["strategy"]["rollingUpdate"]
            assert rolling == {"maxSurge": 0, "maxUnavailable": 1}


def test_postgres_has_a_connection_for_every_pod_that_may_run() -> None:
    rendered = overlay("gpu-autoscale")
    most = {
        each["metadata"]["name"]: each["spec"]["maxReplicas"]
        for each in rendered.of("HorizontalPodAutoscaler")
    }
    most |= {name: spec["maxReplicaCount"] for name, spec in scaled(rendered).items()}
    wanted = OTHERS
    for workload in rendered.workloads():
        if workload.kind != "StatefulSet":
            # An API that is replaced has its successor beside it.
            surge = 1 if workload.component == "api" else 0
            pods = most.get(workload.name, 1) + surge
            wanted += pods * CONNECTIONS[workload.component]
    (setting,) = re.findall(
        r"max_connections=(\d+)", " ".join(rendered.workload("postgres").container["args"])
    )
    assert wanted <= int(setting)


def test_gpus_are_asked_for_where_they_are_used() -> None:
    four = {"worker-gan-train", "worker-classification", "worker-gan-sample", "worker-interactive"}
    expected = {
        "cpu": set(),
        "external": set(),
        "gpu": four,
        "gpu-autoscale": four,
        "one-gpu": {"worker-gan-train"},
    }
    assert set(expected) == set(OVERLAYS)
    for name, wanted in expected.items():
        found = on_gpus(overlay(name))
        assert set(found) == wanted
        for workload in found.values():
            resources = workload.container["resources"]
            assert resources["requests"][GPU] == resources["limits"][GPU] == "1"
            (toleration,) = workload.pod["tolerations"]
            assert toleration == {"key": GPU, "operator": "Exists", "effect": "NoSchedule"}


def test_slices_share_the_memory_as_in_docker_compose() -> None:
    compose = yaml.safe_load((ROOT / "deploy" / "compose.gpu.yml").read_text())["services"]
    rendered = overlay("gpu")
    shares = {}
    for name, workload in on_gpus(rendered).items():
        capped = variables(rendered, workload.container)["PYTORCH_ALLOC_CONF"]
        assert capped == compose[name]["environment"]["PYTORCH_ALLOC_CONF"]
        shares[name] = float(capped.removeprefix("per_process_memory_fraction:"))
    assert len(shares) == len(compose)
    assert math.fsum(shares.values()) < 1
    for other in ("one-gpu", "gpu-autoscale"):
        for workload in on_gpus(overlay(other)).values():
            assert "PYTORCH_ALLOC_CONF" not in variables(overlay(other), workload.container)


def test_every_component_is_in_an_overlay() -> None:
    used = {
        component.rsplit("/", 1)[1]
        for name in OVERLAYS
        for component in yaml.safe_load(
            (KUBERNETES / "overlays" / name / "kustomization.yaml").read_text()
        )["components"]
    }
    assert used == {path.name for path in (KUBERNETES / "components").iterdir()}
