"""Classifiers that stay loaded between the jobs of a worker."""

from collections import OrderedDict

import numpy as np
from torch import nn

from services.classification.domain.prediction import predict
from services.classification.domain.weights import Shape, load_weights
from services.classification.settings import ClassificationSettings
from shared.compute.precision import choose_precision
from shared.db.tables import ClassifierRow
from shared.storage.port import ObjectStore

#: By the SHA-256 of their weights, the one used last at the end.
_loaded: OrderedDict[str, nn.Module] = OrderedDict()


def warm_up() -> None:
    """Classify an image and throw the answer away: torch loads half of itself only then."""
    shape = Shape("small_cnn", ("bone", "liver"), 32, 1)
    predict(shape.network(seed=0), np.zeros((1, 1, 32, 32), np.uint8), device="cpu")


def hot_classifier(
    store: ObjectStore, row: ClassifierRow, settings: ClassificationSettings
) -> tuple[nn.Module, str]:
    """The published network of ``row`` and its device, loaded at most once.

    Raises :class:`shared.errors.BadInput` for weights that are damaged.
    """
    assert row.weights_key is not None, "only published classifiers are asked"
    assert row.weights_sha256 is not None, "weights are written with their digest"
    device = choose_precision(device=settings.device, threads=settings.threads).device
    if row.weights_sha256 not in _loaded:
        network, _ = load_weights(store.get(row.weights_key), device=device)
        _loaded[row.weights_sha256] = network
        if len(_loaded) > settings.hot_classifiers:
            _loaded.popitem(last=False)
    _loaded.move_to_end(row.weights_sha256)
    return _loaded[row.weights_sha256], device
