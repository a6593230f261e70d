"""The whole embedded stack, once for all end-to-end tests: real servers, API and workers."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.preprocessing.domain.phantom import write_phantoms
from tests.e2e.api import Api
from tests.whole_stack import whole_stack

#: Steps of a GAN that is stopped in its middle. Its judge is trained before it, for a sixteenth.
LONG = 2_000

ENVIRONMENT = {
    # A worker that is killed is missed after so long; the shipped default is 30.
    "LESIONGAN_LEASE_SECONDS": "3",
    # A classifier of seconds is to have some.
    "LESIONGAN_CLASSIFICATION_CHECKPOINT_SECONDS": "0.1",
    "LESIONGAN_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
}


@dataclass(frozen=True)
class Stack:
    """A running stack."""

    home: Path
    description: dict[str, Any]
    api: Api


@pytest.fixture(scope="session")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Started once, and stopped with its data erased, however the tests end."""
    home = tmp_path_factory.mktemp("stack")
    with whole_stack(home, **ENVIRONMENT) as description:
        headers = {"Authorization": f"Bearer {description['key']}"}
        with httpx.Client(
            base_url=description["url"], headers=headers, timeout=60, trust_env=False
        ) as http:
            yield Stack(home, description, Api(http))


@pytest.fixture(scope="session")
def stack(started: Stack, gan: str) -> Stack:
    """Whichever test comes first, the default GAN is ``gan``."""
    assert started.api.json(f"/gans/{gan}")["default"]
    return started


@pytest.fixture
def api(stack: Stack) -> Api:
    return stack.api


@pytest.fixture(scope="session")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small phantom archive: every category, every split."""
    path = tmp_path_factory.mktemp("phantoms") / "phantoms.zip"
    write_phantoms(path, lesions_per_category=6, seed=7)
    return path


@pytest.fixture(scope="session")
def raw(started: Stack, phantoms: Path) -> str:
    """The phantoms as a raw data set."""
    job = started.api.ended(started.api.upload(phantoms.read_bytes(), "phantoms.zip", "deeplesion"))
    return started.api.dataset_of(job)


@pytest.fixture(scope="session")
def preprocessed(started: Stack, raw: str) -> str:
    """The phantoms as 32-pixel crops."""
    answer = started.api.post("/preprocess", {"dataset": raw, "size": 32})
    return started.api.dataset_of(started.api.ended(answer))


@pytest.fixture(scope="session")
def gan(started: Stack, preprocessed: str) -> str:
    """A GAN of a few steps: it draws noise, and is sampled like any other."""
    answer = started.api.post("/gans", small_training(preprocessed, steps=4))
    return str(started.api.ended(answer)["output"]["gan"])


def small_training(dataset: str, **options: Any) -> dict[str, Any]:
    """A training that takes seconds."""
    return {
        "dataset": dataset,
        "batch_size": 8,
        "n_critic": 1,
        "width": 8,
        "latent": 16,
        "checkpoint_every": 2,
        "preview_every": 4,
        **options,
    }
