"""Classifiers that stay loaded between the jobs of a worker."""

import numpy as np
from torch import nn

from services.classification.domain.prediction import predict
from services.classification.domain.weights import Shape, load_weights
from services.classification.settings import ClassificationSettings
from shared.compute.hot import HotModels
from shared.compute.precision import choose_precision
from shared.db.tables import ClassifierRow
from shared.storage.port import ObjectStore

_networks: HotModels[nn.Module] = HotModels()


def warm_up() -> None:
    """Classify an image and throw the answer away: torch loads half of itself only then, and a GPU
    begins then.

    Raises :class:`shared.errors.BadInput` where the device that was asked for is not there.
    """
    settings = ClassificationSettings()
    device = choose_precision(device=settings.device, threads=settings.threads).device
    network = Shape("small_cnn", ("bone", "liver"), 32, 1).network(seed=0).to(device)
    predict(network, np.zeros((1, 1, 32, 32), np.uint8), device=device)


def hot_classifier(
    store: ObjectStore, row: ClassifierRow, settings: ClassificationSettings
) -> tuple[nn.Module, str]:
    """The published network of ``row`` and its device, loaded at most once.

    Raises :class:`shared.errors.BadInput` for weights that are damaged.
    """
    assert row.weights_key is not None, "only published classifiers are asked"
    assert row.weights_sha256 is not None, "weights are written with their digest"
    device = choose_precision(device=settings.device, threads=settings.threads).device
    key = row.weights_key

    def load() -> nn.Module:
        network, _ = load_weights(store.get(key), device=device)
        return network

    return _networks.get(row.weights_sha256, load, at_most=settings.hot_classifiers), device
