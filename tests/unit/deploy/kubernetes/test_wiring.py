"""Everything that names something names what is there: pods, ports, routes, modules, queues."""

import importlib
import re
from importlib.util import find_spec

import pytest
from fastapi import FastAPI

from services.worker import TRAINING
from shared.queue.port import QUEUES
from tests.unit.deploy.kubernetes.rendering import ROOT, Manifest, Rendered, Workload
from tests.unit.deploy.kubernetes.selecting import selects


def selected(rendered: Rendered, selector: Manifest) -> list[Workload]:
    return [each for each in rendered.workloads() if selects(selector, each.labels)]


def test_a_workload_selects_its_own_pods_and_no_others(rendered: Rendered) -> None:
    for workload in rendered.workloads():
        if workload.kind != "Job":
            found = selected(rendered, workload.manifest["spec"]["selector"])
            assert [each.name for each in found] == [workload.name]


def test_a_service_reaches_a_port_of_its_own_pods(rendered: Rendered) -> None:
    assert rendered.of("Service")
    for service in rendered.of("Service"):
        (behind,) = selected(rendered, {"matchLabels": service["spec"]["selector"]})
        assert behind.name == service["metadata"]["name"]
        named = {port["name"]: port["containerPort"] for port in behind.container["ports"]}
        for port in service["spec"]["ports"]:
            assert named[port["targetPort"]] == port["port"]


def test_a_stateful_set_has_its_service(rendered: Rendered) -> None:
    for each in rendered.of("StatefulSet"):
        assert rendered.named("Service", each["spec"]["serviceName"])


def test_every_queue_is_served_by_one_kind_of_worker(rendered: Rendered) -> None:
    served = [queue for each in rendered.workloads() for queue in each.queues]
    assert sorted(served) == sorted(QUEUES)


def test_trainings_are_marked(rendered: Rendered) -> None:
    for workload in rendered.workloads():
        trains = bool(TRAINING.intersection(workload.queues))
        assert (workload.labels.get("lesiongan/training") == "exclusive") is trains


def test_what_is_started_is_there(rendered: Rendered) -> None:
    for workload in rendered.workloads():
        for container in workload.containers:
            command = container.get("command", [])
            if command:
                assert command[:2] == ["python", "-m"]
                assert find_spec(command[2]) is not None
        if workload.component == "api":
            assert _app(workload).title.startswith("LesionGAN")


def _app(workload: Workload) -> FastAPI:
    (argument,) = workload.container["args"]
    module, _, name = argument.partition(":")
    app = getattr(importlib.import_module(module), name)
    assert isinstance(app, FastAPI)
    return app


def test_probes_ask_for_routes_that_are_there(rendered: Rendered) -> None:
    apis = [each for each in rendered.workloads() if each.component == "api"]
    assert len(apis) == 5
    for workload in apis:
        routes = _app(workload).openapi()["paths"]
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            asked = workload.container[probe]["httpGet"]
            assert "get" in routes[asked["path"]]
            assert asked["port"] in {port["name"] for port in workload.container["ports"]}


def test_probes_run_what_is_in_the_image(rendered: Rendered) -> None:
    script = (ROOT / "deploy" / "probe.sh").read_text()
    known = set(re.findall(r"^  (\w+)\)", script, re.MULTILINE))
    ours = [each for each in rendered.workloads() if each.kind == "Deployment"]
    for workload in ours:
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            command = workload.container[probe].get("exec", {}).get("command")
            if command is not None:
                assert command[:2] == ["bash", "/app/deploy/probe.sh"]
                assert set(command[2:]) <= known
                assert _beats(workload)


def _beats(workload: Workload) -> bool:
    """Whether the file that the probe looks at is said, and on a volume."""
    if workload.container["image"].startswith("lesiongan-worker"):
        return "LESIONGAN_PULSE_FILE=/tmp/pulse" in (ROOT / "deploy" / "Dockerfile").read_text()
    given = {each["name"]: each.get("value") for each in workload.container["env"]}
    return given.get("LESIONGAN_PULSE_FILE") == "/tmp/pulse"


def test_pods_wait_for_the_migrations_and_the_migrations_for_nothing(rendered: Rendered) -> None:
    for workload in rendered.workloads():
        before = [each["command"][2] for each in workload.pod.get("initContainers") or []]
        expected = ["deploy.migrations.wait"] if workload.kind == "Deployment" else []
        assert before == expected


@pytest.mark.parametrize("kind", ["HorizontalPodAutoscaler", "ScaledObject"])
def test_what_is_scaled_is_there_and_once(rendered: Rendered, kind: str) -> None:
    targets = [each["spec"]["scaleTargetRef"]["name"] for each in rendered.of(kind)]
    assert len(targets) == len(set(targets))
    for target in targets:
        scaled = rendered.named("Deployment", target)
        assert "replicas" not in scaled["spec"], "applying it again would undo the scaling"


def test_a_budget_protects_somebody_and_nobody_has_two(rendered: Rendered) -> None:
    protected = [
        workload.name
        for budget in rendered.of("PodDisruptionBudget")
        for workload in selected(rendered, budget["spec"]["selector"])
    ]
    # Kubernetes evicts no pod that two budgets cover.
    assert len(protected) == len(set(protected))
    trainings = rendered.named("PodDisruptionBudget", "trainings")
    assert trainings["spec"]["maxUnavailable"] == 0
    assert selected(rendered, trainings["spec"]["selector"])
    apis = selected(rendered, rendered.named("PodDisruptionBudget", "apis")["spec"]["selector"])
    assert {each.component for each in apis} == {"api"}
