"""The one way in sends each path where nginx does, and holds nothing back."""

import json
import re
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import pytest

from services.gateway.api import OPENAPI_DOCUMENT
from tests.unit.deploy.kubernetes.rendering import Manifest, Rendered, overlay
from tests.unit.deploy.test_nginx import CONFIGURATION, service_of

PATHS = sorted(json.loads(OPENAPI_DOCUMENT.read_text())["paths"])
BESIDE = ["/", "/docs", "/openapi.json", "/datasetsx", "/classifierx", "/static/gans", "/generate/"]
#: What nginx knows, also where there is no such route yet.
KNOWN = [
    f"/{name}"
    for names in re.findall(r"~\^/\(?([\w|]+)\)?\(", CONFIGURATION.read_text())
    for name in names.split("|")
]


def rule(rendered: Rendered) -> Manifest:
    (only,) = rendered.named("Ingress", "lesiongan")["spec"]["rules"]
    return dict(only)


def backend(rendered: Rendered, path: str) -> str:
    """By ``pathType: Prefix``: whole elements of the path, and the longest one wins."""
    asked = PurePosixPath(path).parts
    matching = []
    for each in rule(rendered)["http"]["paths"]:
        assert each["pathType"] == "Prefix"
        parts = PurePosixPath(each["path"]).parts
        if asked[: len(parts)] == parts:
            matching.append((len(parts), each["backend"]["service"]))
    _, service = max(matching, key=lambda found: found[0])
    ports = rendered.named("Service", service["name"])["spec"]["ports"]
    assert service["port"]["name"] in {port["name"] for port in ports}
    return str(service["name"])


@pytest.mark.parametrize("path", PATHS + BESIDE + KNOWN)
def test_each_path_goes_where_nginx_sends_it(path: str) -> None:
    assert "/regenerate" in KNOWN
    rendered = overlay("cpu")
    concrete = re.sub(r"\{\w+\}", "x", path)
    assert backend(rendered, concrete) == service_of(concrete)


def test_its_host_is_the_one_that_clients_are_told_of(rendered: Rendered) -> None:
    (tls,) = rendered.named("Ingress", "lesiongan")["spec"]["tls"]
    public = urlsplit(rendered.config("settings")["LESIONGAN_PUBLIC_URL"])
    assert public.scheme == "https"
    assert tls["hosts"] == [rule(rendered)["host"]] == [public.hostname]


def test_nothing_is_buffered_capped_or_cut(rendered: Rendered) -> None:
    said = rendered.named("Ingress", "lesiongan")["metadata"]["annotations"]
    community = {
        name.removeprefix("nginx.ingress.kubernetes.io/"): value
        for name, value in said.items()
        if name.startswith("nginx.ingress.kubernetes.io/")
    }
    assert community == {
        "proxy-buffering": "off",
        "proxy-request-buffering": "off",
        "proxy-http-version": "1.1",
        "proxy-body-size": "0",
        "proxy-read-timeout": "3600",
        "proxy-send-timeout": "3600",
    }
    assert "proxy_read_timeout 1h;" in CONFIGURATION.read_text()
    assert said["nginx.org/proxy-read-timeout"] == "1h"
    assert said["nginx.org/proxy-buffering"] == "False"
    assert said["nginx.org/client-max-body-size"] == "0"
