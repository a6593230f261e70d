"""What ``kubectl kustomize`` makes of deploy/kubernetes, as Python objects."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[4]
KUBERNETES = ROOT / "deploy" / "kubernetes"
OVERLAYS = sorted(path.name for path in (KUBERNETES / "overlays").iterdir())

Manifest = dict[str, Any]
#: The one in C, where PyYAML has it: an overlay is 5,000 lines.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Workload:
    """What makes pods: a Deployment, a StatefulSet or a Job."""

    manifest: Manifest

    @property
    def name(self) -> str:
        return str(self.manifest["metadata"]["name"])

    @property
    def kind(self) -> str:
        return str(self.manifest["kind"])

    @property
    def labels(self) -> dict[str, str]:
        """Of its pods."""
        return dict(self.manifest["spec"]["template"]["metadata"]["labels"])

    @property
    def component(self) -> str:
        return self.labels["app.kubernetes.io/component"]

    @property
    def pod(self) -> Manifest:
        return dict(self.manifest["spec"]["template"]["spec"])

    @property
    def container(self) -> Manifest:
        """The one that is no init container."""
        (only,) = self.pod["containers"]
        return dict(only)

    @property
    def containers(self) -> list[Manifest]:
        return [*self.pod.get("initContainers", []), *self.pod["containers"]]

    @property
    def queues(self) -> list[str]:
        """Which a worker serves."""
        if self.component != "worker":
            return []
        option, queues = self.container["args"]
        assert option == "--queues"
        return str(queues).split(",")


@dataclass(frozen=True)
class Rendered:
    """All manifests of one kustomization."""

    manifests: tuple[Manifest, ...]

    def of(self, kind: str) -> list[Manifest]:
        return [each for each in self.manifests if each["kind"] == kind]

    def named(self, kind: str, name: str) -> Manifest:
        (found,) = [each for each in self.of(kind) if each["metadata"]["name"] == name]
        return found

    def config(self, name: str) -> dict[str, str]:
        """Of the ConfigMap ``name``, whose real name ends in a hash."""
        maps = [m for m in self.of("ConfigMap") if m["metadata"]["name"].startswith(f"{name}-")]
        (found,) = maps
        return dict(found["data"])

    def workloads(self) -> Iterator[Workload]:
        for each in self.manifests:
            if each["kind"] in {"Deployment", "StatefulSet", "Job"}:
                yield Workload(each)

    def workload(self, name: str) -> Workload:
        (found,) = [each for each in self.workloads() if each.name == name]
        return found


@cache
def render(folder: Path) -> Rendered:
    """What ``kubectl apply -k folder`` would send."""
    done = subprocess.run(
        ["kubectl", "kustomize", str(folder)], capture_output=True, check=False, text=True
    )
    assert done.returncode == 0, done.stderr
    return Rendered(tuple(yaml.load_all(done.stdout, Loader=LOADER)))


def overlay(name: str) -> Rendered:
    return render(KUBERNETES / "overlays" / name)


def amount(quantity: str | int) -> float:
    """A quantity of Kubernetes as a number: cores or bytes."""
    text = str(quantity)
    units = {"m": 1e-3, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
    for unit, factor in units.items():
        if text.endswith(unit):
            return float(text.removesuffix(unit)) * factor
    return float(text)
