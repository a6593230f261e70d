"""Generators that stay loaded between the jobs of a sampling worker."""

from collections import OrderedDict

from services.gan.domain.generator import Generator
from services.gan.domain.precision import Precision, choose_precision
from services.gan.domain.weights import load_weights
from services.gan.settings import GanSettings
from shared.db.tables import GanRow
from shared.storage.port import ObjectStore

#: By the SHA-256 of their weights, the one used last at the end.
_loaded: OrderedDict[str, Generator] = OrderedDict()


def hot_generator(
    store: ObjectStore, gan: GanRow, settings: GanSettings
) -> tuple[Generator, Precision]:
    """The published generator of ``gan`` on this worker's device, loaded at most once.

    Raises :class:`shared.errors.BadInput` for weights that are damaged.
    """
    assert gan.weights_key is not None, "only published GANs are sampled"
    assert gan.weights_sha256 is not None, "weights are written with their digest"
    precision = choose_precision(device=settings.device, threads=settings.threads)
    if gan.weights_sha256 not in _loaded:
        generator, _ = load_weights(store.get(gan.weights_key), device=precision.device)
        _loaded[gan.weights_sha256] = generator
        if len(_loaded) > settings.hot_generators:
            _loaded.popitem(last=False)
    _loaded.move_to_end(gan.weights_sha256)
    return _loaded[gan.weights_sha256], precision
