"""Manifests are what Kubernetes and KEDA take, and name nothing that they do not know."""

import copy
import json
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from tests.unit.deploy.kubernetes.rendering import Manifest, Rendered, overlay

#: The oldest that the docs name, and the newest that there are schemas of.
VERSIONS = ("1.32", kubernetes_validate.latest_version())
KEDA: dict[str, Any] = json.loads((Path(__file__).parent / "keda-2.20.2.schema.json").read_text())


def check(manifest: Manifest, version: str) -> None:
    if manifest["apiVersion"].startswith("keda.sh/"):
        Draft202012Validator(KEDA[manifest["kind"]]).validate(manifest)
    else:
        kubernetes_validate.validate(manifest, version, strict=True)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_manifest_fits_its_schema(rendered: Rendered, version: str) -> None:
    assert rendered.manifests
    for manifest in rendered.manifests:
        check(manifest, version)


def test_what_does_not_fit_is_found() -> None:
    everything = overlay("gpu-autoscale")
    deployment = copy.deepcopy(everything.named("Deployment", "gateway"))
    deployment["spec"]["template"]["spec"]["containers"][0]["livenesProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        check(deployment, VERSIONS[-1])
    scaled = copy.deepcopy(everything.named("ScaledObject", "worker-gan-train"))
    scaled["spec"]["minReplicas"] = 1
    with pytest.raises(ValidationError):
        check(scaled, VERSIONS[-1])


def test_nothing_is_there_twice_or_elsewhere(rendered: Rendered) -> None:
    names = [(each["kind"], each["metadata"]["name"]) for each in rendered.manifests]
    assert len(names) == len(set(names))
    for each in rendered.manifests:
        if each["kind"] != "Namespace":
            assert each["metadata"]["namespace"] == "lesiongan"
