"""What docs/operations.md shows works as far as it can be tried without a cluster."""

import math
import re
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from deploy.env import write
from tests.unit.deploy.kubernetes.environment import SECRET
from tests.unit.deploy.kubernetes.rendering import (
    KUBERNETES,
    OVERLAYS,
    ROOT,
    Rendered,
    amount,
    overlay,
    render,
)
from tests.unit.deploy.kubernetes.test_ingress import rule

OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
SECTION = OPERATIONS.split("\n## On Kubernetes\n")[1].split("\n## ")[0]
EXAMPLES: list[dict[str, Any]] = [
    yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", SECTION, re.DOTALL)
]
KUSTOMIZATIONS = [each for each in EXAMPLES if each["kind"] == "Kustomization"]


def rendered_in(folder: Path, example: dict[str, Any]) -> Rendered:
    """An example in a folder of its own, beside a checkout."""
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(example))
    (folder / "lesiongan").symlink_to(ROOT)
    return render(folder)


@pytest.mark.parametrize("example", KUSTOMIZATIONS)
def test_a_folder_of_your_own_renders(example: dict[str, Any], tmp_path: Path) -> None:
    rendered = rendered_in(tmp_path, example)
    assert rule(rendered)["host"] == "lesiongan.lab.example"
    settings = rendered.config("settings")
    assert settings["LESIONGAN_PUBLIC_URL"] == "https://lesiongan.lab.example"
    assert settings["LESIONGAN_ENVIRONMENT"] == "production"
    for manifest in rendered.manifests:
        kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)


def test_an_installation_takes_its_images_from_its_own_registry(tmp_path: Path) -> None:
    rendered = rendered_in(tmp_path, KUSTOMIZATIONS[0])
    images = {each["image"] for load in rendered.workloads() for each in load.containers}
    ours = {image for image in images if "lesiongan" in image}
    assert len(ours) == 2
    assert {image.split("/")[0] for image in ours} == {"registry.lab.example"}


def test_no_address_is_left_that_leads_nowhere(tmp_path: Path) -> None:
    text = yaml.safe_dump_all(rendered_in(tmp_path, KUSTOMIZATIONS[1]).manifests)
    assert "203.0.113.20/32" in text
    for nowhere in ("192.0.2.", "postgres.example", "redis.example", "s3.example"):
        assert nowhere not in text


def test_other_examples_fit_their_schemas() -> None:
    others = [each for each in EXAMPLES if each["kind"] != "Kustomization"]
    assert {each["kind"] for each in others} == {"NetworkPolicy", "ConfigMap"}
    for each in others:
        kubernetes_validate.validate(each, kubernetes_validate.latest_version(), strict=True)


def test_the_env_file_becomes_the_secret(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    write(env_file)
    assert "create secret generic lesiongan --from-env-file=.env" in SECTION
    done = subprocess.run(
        [
            *("kubectl", "--namespace", "lesiongan", "create", "secret", "generic", "lesiongan"),
            *(f"--from-env-file={env_file}", "--dry-run=client", "--output=yaml"),
        ],
        capture_output=True,
        check=True,
        text=True,
    )
    assert set(yaml.safe_load(done.stdout)["data"]) == set(SECRET)


def test_every_overlay_is_described() -> None:
    assert set(re.findall(r"^\| `([\w-]+)` \|", SECTION, re.MULTILINE)) == set(OVERLAYS)


def test_one_node_has_room_for_what_is_asked_for() -> None:
    found = re.search(r"one node with (\d+) cores and (\d+) GiB", SECTION)
    assert found is not None
    rendered = overlay("cpu")
    asked = {name: _asked(rendered, name) for name in ("cpu", "memory")}
    assert int(found[1]) - 1 < asked["cpu"] <= int(found[1])
    assert int(found[2]) - 1 < asked["memory"] / 2**30 <= int(found[2])


def _asked(rendered: Rendered, resource: str) -> float:
    """By all pods that run on, each API's as often as its autoscaler begins with."""
    least = {
        each["metadata"]["name"]: each["spec"]["minReplicas"]
        for each in rendered.of("HorizontalPodAutoscaler")
    }
    return math.fsum(
        least.get(each.name, 1) * amount(each.container["resources"]["requests"][resource])
        for each in rendered.workloads()
        if each.kind != "Job"
    )


def test_the_namespace_is_made_by_a_file_of_its_own() -> None:
    assert "kubectl apply -f lesiongan/deploy/kubernetes/base/namespace.yaml" in SECTION
    (only,) = yaml.safe_load_all((KUBERNETES / "base" / "namespace.yaml").read_text())
    assert only["kind"] == "Namespace"


def test_a_restore_can_be_split_by_labels(rendered: Rendered) -> None:
    """``-l`` looks at the labels of what is applied, not at those of its pods."""
    for workload in rendered.workloads():
        own = workload.manifest["metadata"]["labels"]
        assert own["app.kubernetes.io/component"] == workload.component
    selectors = re.findall(r"component notin \((.*?)\)'", SECTION)
    assert [set(each.split(", ")) for each in selectors] == [
        {"api", "worker", "sweeper", "webhooks", "prepare"},
        {"api", "sweeper", "webhooks"},
    ]
