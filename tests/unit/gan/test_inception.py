"""FID in the features of Inception v3, with random weights of its shape."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import inception_v3

from lesiongan.contracts.gans import GanScores
from services.gan.domain.config import Architecture, Training
from services.gan.domain.examination import examine
from services.gan.domain.inception import FEATURES, InceptionJudge, InceptionSpace, load_inception
from services.gan.domain.judge import appoint, reporting_panel
from services.gan.domain.reference import make_reference
from services.gan.domain.state import start_training
from services.gan.references import Pictures, inception_judge
from services.gan.settings import GanSettings
from shared.compute.precision import Precision
from shared.errors import BadInput
from tests.unit.gan.blobs import blobs

PICTURES = Pictures(*blobs(4))


@pytest.fixture(scope="module")
def network() -> nn.Module:
    """As torchvision makes it, with all that only classifies or helps to train."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made: nn.Module = inception_v3(weights=None, aux_logits=True, init_weights=False)
    return made.eval()


@pytest.fixture(scope="module")
def weights(network: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.contiguous() for name, tensor in network.state_dict().items()}


def _nothing() -> None:
    """Nobody waits."""


def test_features_are_those_of_torchvisions_network_before_its_last_layer(
    network: nn.Module, weights: dict[str, Tensor], precision: Precision
) -> None:
    images = blobs(3)[0]
    space = load_inception(save(weights), precision)
    found = space.features(images, _nothing)
    assert found.shape == (3, FEATURES)
    np.testing.assert_array_equal(space.features(images[1:2], _nothing), found[1:2])
    in_colour = np.repeat(images[2:], 3, axis=1)
    np.testing.assert_array_equal(space.features(in_colour, _nothing), found[2:])
    seen = functional.interpolate(
        torch.from_numpy(images).float() / 127.5 - 1.0,
        size=(299, 299),
        mode="bilinear",
        align_corners=False,
    ).expand(-1, 3, -1, -1)
    pooled: list[Tensor] = []
    hook = network.get_submodule("avgpool").register_forward_hook(
        lambda _module, _inputs, output: pooled.append(output.flatten(1))
    )
    with torch.inference_mode():
        network(seen)
    hook.remove()
    np.testing.assert_allclose(found, pooled[0].numpy(), rtol=1e-3, atol=1e-5)


def test_the_space_is_named_by_the_file(weights: dict[str, Tensor], precision: Precision) -> None:
    alone = {name: weights[name] for name in weights if not name.startswith(("fc.", "AuxLogits."))}
    one, other = (load_inception(save(each), precision) for each in (weights, alone))
    assert one.name != other.name
    assert one.name.startswith("inception-v3-")
    assert one.resizer == "bilinear to 299 px"


def _of_another_shape(weights: dict[str, Tensor]) -> bytes:
    return save({**weights, "Mixed_5b.branch1x1.conv.weight": torch.zeros(8, 192, 1, 1)})


def _without_one(weights: dict[str, Tensor]) -> bytes:
    return save({name: weights[name] for name in weights if name != "Mixed_7c.branch1x1.bn.bias"})


def _not_finite(weights: dict[str, Tensor]) -> bytes:
    return save({**weights, "Conv2d_1a_3x3.bn.bias": torch.full((32,), torch.nan)})


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda _: b"\x80\x04}.", "damaged, or no safetensors file"),
        (lambda weights: save(weights)[:-9], "damaged, or no safetensors file"),
        (_of_another_shape, r"1 tensors .*such as Mixed_5b\.branch1x1\.conv\.weight"),
        (_without_one, r"1 tensors .*such as Mixed_7c\.branch1x1\.bn\.bias"),
        (lambda weights: save({**weights, "more": torch.zeros(1)}), "1 tensors .*such as more"),
        (_not_finite, r"not finite, in Conv2d_1a_3x3\.bn\.bias"),
    ],
)
def test_what_is_no_such_file_is_refused(
    weights: dict[str, Tensor], precision: Precision, damage: object, why: str, tmp_path: Path
) -> None:
    assert callable(damage)
    path = tmp_path / "inception.safetensors"
    path.write_bytes(damage(weights))
    with pytest.raises(BadInput, match=f"LESIONGAN_GAN_INCEPTION: Inception's weights .*{why}"):
        inception_judge(GanSettings(inception=path), PICTURES, PICTURES, precision, _nothing)


def test_it_is_said_that_the_file_is_missing(precision: Precision, tmp_path: Path) -> None:
    settings = GanSettings(inception=tmp_path / "none.safetensors")
    with pytest.raises(BadInput, match="LESIONGAN_GAN_INCEPTION names a file that is not there"):
        inception_judge(settings, PICTURES, PICTURES, precision, _nothing)


def test_without_the_setting_there_is_no_such_judge(precision: Precision) -> None:
    assert inception_judge(GanSettings(), PICTURES, PICTURES, precision, _nothing) is None


class _Areas(nn.Module):
    """Features as many as Inception's, in a moment."""

    def forward(self, images: Tensor) -> Tensor:
        return functional.adaptive_avg_pool2d(images[:, :1], (32, 64)).flatten(1)


@pytest.mark.parametrize(("held_out", "against"), [(20, "val"), (0, "training")])
def test_fid_is_of_the_images_of_the_other_scores(
    precision: Precision, held_out: int, against: str
) -> None:
    train, val = blobs(60), blobs(held_out, seed=1)
    judge = appoint(make_reference(train, val, steps=1, precision=precision))
    panel = reporting_panel(judge)
    space = InceptionSpace(_Areas(), "0" * 64, precision)
    inception = InceptionJudge(space, train[0], val[0], _nothing)
    real = (val if held_out else train)[0][panel.real_rows]
    assert judge.against == against
    found = inception.scores(real, panel, judge.against)
    assert found is not None
    assert found["fid"] == pytest.approx(0.0, abs=1e-6)
    assert found["fid_floor"] > 1.0
    assert (found["n"], found["n_real"]) == (len(real), len(panel.real))
    assert found["space"] == "inception-v3-000000000000"
    noise = np.random.default_rng(0).integers(0, 256, real.shape, dtype=np.uint8)
    worse = inception.scores(noise, panel, judge.against)
    assert worse is not None
    assert worse["fid"] > 2 * found["fid_floor"]
    assert inception.scores(real[:3], panel, judge.against) is None


def test_whoever_must_go_is_asked_between_batches(precision: Precision) -> None:
    space = InceptionSpace(_Areas(), "0" * 64, precision)

    def leave() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        space.features(blobs(4)[0], leave)


def test_the_scores_of_a_gan_name_it_and_without_weights_do_not(precision: Precision) -> None:
    train, val = blobs(20), blobs(20, seed=1)
    reference = make_reference(train, val, steps=1, precision=precision)
    architecture = Architecture(
        image_size=32, categories=("liver", "lung"), width=4, max_width=8, latent_size=8
    )
    generator = start_training(architecture, Training()).average
    space = InceptionSpace(_Areas(), "0" * 64, precision)
    inception = InceptionJudge(space, train[0], val[0], _nothing)
    judge = appoint(reference)
    bare = examine(generator, reference, judge, train[0], precision)
    more = examine(generator, reference, judge, train[0], precision, inception)
    shown = GanScores.model_validate(more.scores).model_dump(mode="json")
    assert shown["inception"] == more.scores.pop("inception")
    assert shown["inception"]["n"] == shown["n"]
    assert more.scores == bare.scores
    assert "inception" not in GanScores.model_validate(bare.scores).model_dump(mode="json")
