"""Weights of another task as a beginning."""

import hashlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from services.classification.domain.architectures import build
from services.classification.domain.pretrained import fill_pretrained
from services.classification.pretrained import pretrained_sha256, read_pretrained
from shared.errors import BadInput


def colour(**changes: torch.Tensor) -> bytes:
    """Of an RGB network that tells five classes apart."""
    network = build("small_cnn", channels=3, image_size=32, classes=5, seed=7)
    state = {name: value.contiguous() for name, value in network.state_dict().items()}
    return save(state | changes)


def test_all_but_the_last_layer_is_taken_and_colours_are_summed() -> None:
    made = build("small_cnn", channels=1, image_size=32, classes=2, seed=0)
    source = build("small_cnn", channels=3, image_size=32, classes=5, seed=7).state_dict()
    before = {name: value.clone() for name, value in made.state_dict().items()}
    new = fill_pretrained(made, colour())
    after = made.state_dict()
    assert {name.rpartition(".")[0] for name in new} == {"19"}
    assert all(torch.equal(after[name], before[name]) for name in new)
    assert torch.allclose(after["0.weight"], source["0.weight"].sum(dim=1, keepdim=True))
    assert torch.equal(after["4.weight"], source["4.weight"])


def test_grey_in_three_channels_shows_the_summed_convolution_the_same() -> None:
    made = build("small_cnn", channels=1, image_size=32, classes=2, seed=0)
    source = build("small_cnn", channels=3, image_size=32, classes=5, seed=7)
    fill_pretrained(made, colour())
    grey = torch.randn(2, 1, 32, 32)
    first = made.get_submodule("0"), source.get_submodule("0")
    assert torch.allclose(first[0](grey), first[1](grey.expand(-1, 3, -1, -1)), atol=1e-5)


@pytest.mark.parametrize("architecture", ["resnet18", "mobilenet_v2", "convnext_tiny"])
def test_torchvisions_networks_take_theirs(architecture: str) -> None:
    source = build(architecture, channels=3, image_size=224, classes=10, seed=1)  # type: ignore[arg-type]
    data = save({name: value.contiguous() for name, value in source.state_dict().items()})
    made = build(architecture, channels=1, image_size=64, classes=2, seed=0)  # type: ignore[arg-type]
    new = fill_pretrained(made, data)
    assert len(new) <= 4, "the last layer, and a first convolution made for large images"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\x80\x04}.", "damaged"),
        (colour()[:-9], "damaged"),
        (save({"0.weight": torch.zeros(32, 1, 3, 3)}), "another architecture"),
        (colour(**{"4.weight": torch.full((64, 32, 3, 3), torch.nan)}), "not finite"),
    ],
)
def test_what_is_no_such_file_is_refused(data: bytes, why: str) -> None:
    made = build("small_cnn", channels=1, image_size=32, classes=2, seed=0)
    with pytest.raises(BadInput, match=why):
        fill_pretrained(made, data)


def test_the_file_is_named_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "small_cnn.safetensors"
    path.write_bytes(b"one")
    first = pretrained_sha256(tmp_path, "small_cnn")
    assert first == hashlib.sha256(b"one").hexdigest()
    assert read_pretrained(tmp_path, "small_cnn", first) == b"one"
    path.write_bytes(b"another")
    assert pretrained_sha256(tmp_path, "small_cnn") != first
    with pytest.raises(BadInput, match="not those with"):
        pretrained_sha256(tmp_path, "small_cnn", first)
    with pytest.raises(BadInput, match="others than when it began"):
        read_pretrained(tmp_path, "small_cnn", first)


def test_without_a_file_it_is_said_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="LESIONGAN_CLASSIFICATION_PRETRAINED"):
        pretrained_sha256(None, "resnet18")
    with pytest.raises(BadInput, match="no weights of resnet18"):
        pretrained_sha256(tmp_path, "resnet18")
