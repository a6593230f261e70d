"""Each test here looks at each overlay, rendered."""

import shutil

import pytest

from tests.unit.deploy.kubernetes.rendering import OVERLAYS, Rendered, overlay


@pytest.fixture(autouse=True)
def _kubectl() -> None:
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl renders the manifests, and it is not here")


@pytest.fixture(params=OVERLAYS)
def rendered(request: pytest.FixtureRequest, _kubectl: None) -> Rendered:
    return overlay(request.param)
