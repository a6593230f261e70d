"""Published classifiers as bytes: what is read is what was saved, or it is refused."""

import json
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save

from services.classification.domain.checkpoint import save_checkpoint
from services.classification.domain.training import start_training
from services.classification.domain.weights import Shape, load_weights, save_weights
from shared.compute.tensor_file import read_tensors, write_tensors
from shared.errors import BadInput
from tests.unit.classification.builders import SHAPE, recipe

KIND = "lesiongan-classifier"
WEIGHTS = save_weights(SHAPE.network(seed=3), SHAPE)


@pytest.mark.parametrize(
    "shape",
    [
        SHAPE,
        Shape("resnet18", ("lung", "bone", "liver"), image_size=32, channels=3),
        Shape("mobilenet_v2", ("pelvis", "kidney"), image_size=64, channels=1),
    ],
    ids=lambda shape: shape.architecture,
)
def test_weights_come_back_with_what_they_belong_to(shape: Shape) -> None:
    network = shape.network(seed=3)
    loaded, said = load_weights(save_weights(network, shape))
    assert said == shape, "the categories keep their order"
    for name, value in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)
    assert not loaded.training
    assert not any(parameter.requires_grad for parameter in loaded.parameters())


def test_equal_networks_give_equal_bytes() -> None:
    assert save_weights(SHAPE.network(seed=3), SHAPE) == WEIGHTS
    assert save_weights(SHAPE.network(seed=4), SHAPE) != WEIGHTS


@settings(max_examples=25)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_one_changed_bit_anywhere_is_noticed(place: float, bit: int) -> None:
    damaged = bytearray(WEIGHTS)
    damaged[int(place * len(damaged))] ^= 1 << bit
    with pytest.raises(BadInput):
        load_weights(bytes(damaged))


@pytest.mark.parametrize(
    "data", [b"", b"\x80\x04K\x01.", b"PK\x03\x04" * 100, WEIGHTS[:1000], WEIGHTS[:-1]]
)
def test_what_is_no_safetensors_or_truncated_is_refused(data: bytes) -> None:
    with pytest.raises(BadInput, match="damaged"):
        load_weights(data)


def test_other_files_of_safetensors_are_refused() -> None:
    checkpoint = save_checkpoint(start_training(SHAPE, recipe(), device="cpu"), recipe())
    for data in (checkpoint, save({"x": torch.zeros(1)})):
        with pytest.raises(BadInput, match="no lesiongan-classifier of"):
            load_weights(data)


def test_tensors_that_do_not_fit_their_shape_are_refused() -> None:
    tensors, metadata = read_tensors(WEIGHTS, kind=KIND)
    name = "0.weight"
    rest = {key: value for key, value in tensors.items() if key != name}
    endless = torch.full_like(tensors[name], float("nan"))
    for changed, why in [
        (rest, "missing or too much"),
        ({**tensors, "more": torch.zeros(1)}, "missing or too much"),
        ({**tensors, name: torch.zeros(1)}, "instead of"),
        ({**tensors, name: endless}, "not finite"),
    ]:
        with pytest.raises(BadInput, match=why):
            load_weights(write_tensors(changed, metadata))


SAID: dict[str, Any] = {
    "architecture": "small_cnn",
    "categories": ["bone", "liver"],
    "image_size": 32,
    "channels": 1,
}


@pytest.mark.parametrize(
    "said",
    [
        "",
        "[]",
        "{}",
        json.dumps({**SAID, "architecture": "vgg16"}),
        json.dumps({**SAID, "categories": ["bone", "toe"]}),
        json.dumps({**SAID, "categories": [["bone"], ["liver"]]}),
        json.dumps({**SAID, "categories": []}),
        json.dumps({**SAID, "categories": None}),
        json.dumps({**SAID, "image_size": "small"}),
        json.dumps({**SAID, "image_size": -32}),
        json.dumps({**SAID, "channels": 0}),
        json.dumps({**SAID, "channels": -1}),
        json.dumps({**SAID, "channels": None}),
    ],
)
def test_a_shape_that_is_none_is_refused(said: str) -> None:
    tensors, _ = read_tensors(WEIGHTS, kind=KIND)
    with pytest.raises(BadInput):
        load_weights(write_tensors(tensors, {"format": KIND, "shape": said}))


def test_the_stated_shape_alone_is_no_reason_to_refuse() -> None:
    tensors, _ = read_tensors(WEIGHTS, kind=KIND)
    _, shape = load_weights(write_tensors(tensors, {"format": KIND, "shape": json.dumps(SAID)}))
    assert shape == SHAPE
