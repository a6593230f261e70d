import json
from typing import Any

import pytest

from services.gan.domain.config import Architecture, Training
from shared.errors import BadInput


def test_records_round_trip_through_json() -> None:
    architecture = Architecture(image_size=64, categories=("liver", "lung"), channels=3, width=16)
    training = Training(steps=7, seed=2**62, betas=(0.1, 0.99), diff_augment=("cutout",))
    assert Architecture.from_json(architecture.to_json()) == architecture
    assert Training.from_json(training.to_json()) == training


def test_json_is_canonical() -> None:
    text = Training().to_json()
    assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))


def test_defaults_are_those_of_the_paper() -> None:
    training = Training()
    assert (training.n_critic, training.gradient_penalty) == (5, 10.0)
    assert (training.learning_rate, training.betas) == (1e-4, (0.0, 0.9))


@pytest.mark.parametrize(
    "values",
    [
        {"image_size": 48},
        {"image_size": 16},
        {"image_size": 512},
        {"channels": 2},
        {"channels": True},
        {"categories": ()},
        {"categories": ("liver", "liver")},
        {"categories": ("",)},
        {"width": 0},
        {"width": 200},
        {"latent_size": 2.5},
    ],
)
def test_architecture_refuses(values: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as error:
        Architecture(**{"image_size": 32, "categories": ("liver",), **values})
    assert next(iter(values)) in error.value.detail


@pytest.mark.parametrize(
    "values",
    [
        {"steps": 0},
        {"steps": "many"},
        {"batch_size": 1},
        {"n_critic": 0},
        {"gradient_penalty": -1.0},
        {"learning_rate": float("nan")},
        {"betas": (0.5,)},
        {"betas": (0.0, 1.0)},
        {"ema_decay": 1.0},
        {"seed": -1},
        {"seed": 2**63},
        {"metrics_every": 0},
        {"evaluate_every": 0},
        {"diff_augment": ("flip",)},
        {"diff_augment": ("cutout", "cutout")},
        {"diff_augment": "cutout"},
        {"consistency": -1.0},
        {"unlabelled_share": 0.95},
        {"pretrain_steps": 20_000},
        {"watchdog": 1},
        {"max_rollbacks": -1},
    ],
)
def test_training_refuses(values: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as error:
        Training(**values)
    assert next(iter(values)) in error.value.detail


@pytest.mark.parametrize("text", ["", "[1]", "{", '{"colour": 1}', '{"width": 8}'])
def test_json_of_something_else_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        Architecture.from_json(text)


def test_width_doubles_to_its_limit() -> None:
    architecture = Architecture(image_size=128, categories=("a",), width=16, max_width=64)
    assert architecture.resolutions_px == (4, 8, 16, 32, 64, 128)
    assert [architecture.width_at(size) for size in (4, 32, 64, 128)] == [64, 64, 32, 16]
