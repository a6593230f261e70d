import pytest
import torch

from lesiongan.contracts.gans import IMAGE_SIZES
from services.gan.domain.batches import load_training_images
from services.gan.domain.config import Architecture, Training
from services.gan.domain.critic import Critic
from services.gan.domain.generator import Generator
from services.gan.domain.layers import initialise, one_hot
from services.gan.domain.sampling import sample
from services.gan.domain.state import start_training
from services.gan.domain.training import train
from shared.compute.precision import Precision


def _tiny(image_size: int, channels: int = 1) -> Architecture:
    return Architecture(
        image_size=image_size,
        categories=("bone", "lung"),
        channels=channels,
        width=4,
        max_width=8,
        latent_size=4,
    )


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("image_size", IMAGE_SIZES)
def test_every_size_trains_and_samples(image_size: int, channels: int) -> None:
    architecture = _tiny(image_size, channels)
    training = Training(steps=1, batch_size=2, n_critic=1)
    precision = Precision(device="cpu", dtype_name="bfloat16", threads=1)
    shape = (4, channels, image_size, image_size)
    pixels = torch.arange(4 * channels * image_size**2).remainder(256).to(torch.uint8)
    labels = torch.tensor([0, 1, 0, 1]).numpy()
    data = load_training_images(pixels.view(shape).numpy(), labels, architecture)
    state = start_training(architecture, training)
    assert train(state, data, precision=precision)
    images = sample(state.average, [0, 1, 1], seed=0, indices=[0, 1, 2], precision=precision)
    assert images.shape == (3, *shape[1:])
    assert len({image.tobytes() for image in images}) == 3


@pytest.fixture
def generator() -> Generator:
    generator = Generator(_tiny(32))
    initialise(generator, torch.Generator().manual_seed(0))
    return generator


def _noise(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    return torch.randn(count, 4, generator=random), torch.randn(count, 1, 32, 32, generator=random)


def test_generator_keeps_no_statistics_of_batches(generator: Generator) -> None:
    assert not list(generator.buffers())
    latents, grain = _noise(4)
    before = generator(latents, grain, torch.tensor([0, 1, 0, 1]))
    latents[1:] *= 9.0  # other neighbours
    after = generator(latents, grain, torch.tensor([0, 0, 1, 0]))
    torch.testing.assert_close(before[0], after[0], rtol=0.0, atol=0.0)
    assert not torch.allclose(before[1], after[1])


def test_images_lie_between_minus_one_and_one(generator: Generator) -> None:
    latents, grain = _noise(8)
    images = generator(10 * latents, grain, torch.zeros(8, dtype=torch.long))
    assert images.abs().max() <= 1.0


def test_latent_label_and_grain_each_change_the_image(generator: Generator) -> None:
    latents, grain = _noise(2)
    label = torch.tensor([0])
    base = generator(latents[:1], grain[:1], label)
    assert not torch.allclose(base, generator(latents[1:], grain[:1], label))
    assert not torch.allclose(base, generator(latents[:1], grain[:1], torch.tensor([1])))
    assert not torch.allclose(base, generator(latents[:1], grain[1:], label))


def test_grain_is_learned_from_nothing() -> None:
    generator = start_training(_tiny(32), Training()).generator
    latents, grain = _noise(2)
    label = torch.tensor([0])
    assert torch.equal(
        generator(latents[:1], grain[:1], label), generator(latents[:1], grain[1:], label)
    )


def test_label_changes_the_score() -> None:
    critic = Critic(_tiny(32))
    initialise(critic, torch.Generator().manual_seed(0))
    scores = critic(torch.ones(2, 1, 32, 32), torch.tensor([0, 1]))
    assert scores.shape == (2,)
    assert scores[0] != scores[1]


def test_projection_adds_the_product_of_embedding_and_features() -> None:
    """Miyato & Koyama 2018, equation 3: without a label only the unconditional term is left."""
    critic = Critic(_tiny(32))
    initialise(critic, torch.Generator().manual_seed(0))
    images = torch.randn(1, 1, 32, 32)
    unconditional = critic(images, torch.tensor([-1]))
    with torch.no_grad():
        critic.projection.weight.mul_(2.0)
    doubled = critic(images, torch.tensor([1]))
    with torch.no_grad():
        critic.projection.weight.div_(2.0)
    once = critic(images, torch.tensor([1]))
    torch.testing.assert_close(doubled - unconditional, 2.0 * (once - unconditional))


def test_one_hot() -> None:
    assert one_hot(torch.tensor([1, -1]), 3).tolist() == [[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]


def test_initial_weights_derive_from_the_seed() -> None:
    first, again, other = (
        start_training(_tiny(32), Training(seed=seed)).generator for seed in (1, 1, 2)
    )
    for a, b in zip(first.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(first.seed_map.weight, other.seed_map.weight)
