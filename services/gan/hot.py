"""Generators that stay loaded between the jobs of a sampling worker."""

from services.gan.domain.config import Architecture
from services.gan.domain.generator import Generator
from services.gan.domain.sampling import sample
from services.gan.domain.weights import load_weights
from services.gan.settings import GanSettings
from shared.compute.hot import HotModels
from shared.compute.precision import Precision, choose_precision
from shared.db.tables import GanRow
from shared.storage.port import ObjectStore

_generators: HotModels[Generator] = HotModels()


def warm_up() -> None:
    """Make an image and throw it away: torch loads half of itself only when it first computes, and
    a GPU begins then.

    Raises :class:`shared.errors.BadInput` where the device that was asked for is not there.
    """
    settings = GanSettings()
    precision = choose_precision(device=settings.device, threads=settings.threads)
    generator = Generator(Architecture(image_size=32, categories=("liver",), width=4)).eval()
    sample(generator.to(precision.device), [0], seed=0, indices=[0], precision=precision)


def hot_generator(
    store: ObjectStore, gan: GanRow, settings: GanSettings
) -> tuple[Generator, Precision]:
    """The published generator of ``gan`` on this worker's device, loaded at most once.

    Raises :class:`shared.errors.BadInput` for weights that are damaged.
    """
    assert gan.weights_key is not None, "only published GANs are sampled"
    assert gan.weights_sha256 is not None, "weights are written with their digest"
    precision = choose_precision(device=settings.device, threads=settings.threads)
    key = gan.weights_key

    def load() -> Generator:
        generator, _ = load_weights(store.get(key), device=precision.device)
        return generator

    kept = settings.hot_generators
    return _generators.get(gan.weights_sha256, load, at_most=kept), precision
