from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save

from services.gan.domain.checkpoint import load_checkpoint, save_checkpoint
from services.gan.domain.config import Architecture, Training
from services.gan.domain.state import start_training
from services.gan.domain.weights import load_weights, save_weights
from shared.compute.tensor_file import read_tensors, write_tensors
from shared.errors import BadInput

_ARCHITECTURE = Architecture(
    image_size=32, categories=("bone", "lung"), width=4, max_width=4, latent_size=4
)
_TRAINING = Training(steps=5)
_CHECKPOINT = save_checkpoint(start_training(_ARCHITECTURE, _TRAINING))
_WEIGHTS = save_weights(start_training(_ARCHITECTURE, _TRAINING).average)


@settings(max_examples=60, deadline=None)
@given(position=st.integers(0, len(_CHECKPOINT) - 1), bit=st.integers(0, 7))
def test_one_changed_bit_anywhere_is_noticed(position: int, bit: int) -> None:
    damaged = bytearray(_CHECKPOINT)
    damaged[position] ^= 1 << bit
    with pytest.raises(BadInput):
        load_checkpoint(bytes(damaged), _ARCHITECTURE, _TRAINING)


@settings(max_examples=30, deadline=None)
@given(length=st.integers(0, len(_WEIGHTS) - 1))
def test_truncated_weights_are_noticed(length: int) -> None:
    with pytest.raises(BadInput, match="damaged"):
        load_weights(_WEIGHTS[:length])


def test_same_state_gives_the_same_bytes() -> None:
    assert save_checkpoint(start_training(_ARCHITECTURE, _TRAINING)) == _CHECKPOINT


@pytest.mark.parametrize("data", [b"", b"\x80\x04K\x01.", b"PK\x03\x04" * 100])
def test_what_is_no_safetensors_is_refused(data: bytes) -> None:
    with pytest.raises(BadInput, match="damaged"):
        load_checkpoint(data, _ARCHITECTURE, _TRAINING)


def test_checkpoint_of_another_gan_is_refused() -> None:
    with pytest.raises(BadInput, match="another architecture"):
        load_checkpoint(_CHECKPOINT, replace(_ARCHITECTURE, width=8, max_width=8), _TRAINING)
    with pytest.raises(BadInput, match="other settings"):
        load_checkpoint(_CHECKPOINT, _ARCHITECTURE, replace(_TRAINING, seed=1))


def test_weights_are_no_checkpoint_and_the_other_way_round() -> None:
    with pytest.raises(BadInput, match="no lesiongan-checkpoint"):
        load_checkpoint(_WEIGHTS, _ARCHITECTURE, _TRAINING)
    with pytest.raises(BadInput, match="no lesiongan-generator"):
        load_weights(_CHECKPOINT)


def test_foreign_safetensors_are_refused() -> None:
    with pytest.raises(BadInput, match="no lesiongan-generator"):
        load_weights(save({"x": torch.zeros(1)}))


def test_tensors_that_do_not_fit_their_architecture_are_refused() -> None:
    tensors, metadata = read_tensors(_WEIGHTS, kind="lesiongan-generator")
    name = "seed_map.weight"
    rest = {key: value for key, value in tensors.items() if key != name}
    endless = torch.full_like(tensors[name], float("inf"))
    with pytest.raises(BadInput, match="missing or too much"):
        load_weights(write_tensors(rest, metadata))
    with pytest.raises(BadInput, match="instead of"):
        load_weights(write_tensors({**tensors, name: torch.zeros(1)}, metadata))
    with pytest.raises(BadInput, match="not finite"):
        load_weights(write_tensors({**tensors, name: endless}, metadata))
    with pytest.raises(BadInput, match="not valid JSON"):
        load_weights(write_tensors(tensors, {"format": "lesiongan-generator"}))


def test_published_weights_keep_values_architecture_and_card() -> None:
    generator = start_training(_ARCHITECTURE, _TRAINING).average
    loaded, metadata = load_weights(save_weights(generator, {"card": '{"phantom": true}'}))
    assert loaded.architecture == _ARCHITECTURE
    assert metadata == {"card": '{"phantom": true}'}
    for name, value in generator.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)
