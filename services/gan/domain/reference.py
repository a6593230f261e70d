"""All that a GAN's samples are held against, made once before its training and kept with it.

It holds thumbnails and features of the training images: as much a patient's as the images are, and
deleted with the GAN.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from services.gan.domain.feature_space import FeatureSpace, Task, train_feature_space
from services.gan.domain.memorisation import Bounds, bounds, copies
from services.gan.domain.neighbours import Known, Places, nearest_pixels, place, thumbnails
from shared.compute.precision import Precision, reproducible
from shared.compute.small_cnn import SmallCnn
from shared.compute.tensor_file import fill_parameters, read_tensors, write_tensors
from shared.errors import BadInput

_KIND = "lesiongan-reference"
#: Fewer images of ``val`` than these are not enough to hold anything against.
ENOUGH = 16


@dataclass(frozen=True)
class Reference:
    """The space, and where the images of ``train`` and ``val`` lie; ``val`` may be empty.

    ``bounds`` say how near samples may come to ``train``; None where all its images are equal.
    """

    space: FeatureSpace
    train: Places
    val: Places
    bounds: Bounds | None

    def too_near(self, images: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Which of the samples [n, C, S, S] come too near to a training image."""
        near = np.zeros(len(images), dtype=np.bool_)
        if self.bounds is None:
            return near
        seen = thumbnails(images)
        # Hardly any are nearer than the bound, and only those need to know their crowd.
        asked = np.flatnonzero(self._known.least(seen) < self.bounds.pixel)
        near[asked] = copies(nearest_pixels(seen[asked], self.train.pixels), self.bounds)
        return near

    @cached_property
    def _known(self) -> Known:
        return Known(self.train.pixels)


def _ignore() -> None:
    """Nobody waits."""


def make_reference(
    train: tuple[NDArray[np.uint8], NDArray[np.int64]],
    val: tuple[NDArray[np.uint8], NDArray[np.int64]],
    *,
    steps: int,
    precision: Precision,
    on_step: Callable[[], None] = _ignore,
) -> Reference:
    """From images [n, C, S, S] and labels [n]; the space is learnt in ``steps`` from ``train``.

    ``on_step`` is called as it is learnt; what it raises ends that. The same images, steps and
    class of device give the same reference.
    """
    space = train_feature_space(*train, steps=steps, precision=precision, on_step=on_step)
    with reproducible(precision):
        known, held_out = place(space, *train), place(space, *val)
    limits = bounds(known, held_out, enough=ENOUGH)
    return Reference(space, known, held_out, limits)


def save_reference(reference: Reference) -> bytes:
    """As safetensors bytes; equal references give equal bytes."""
    space = reference.space
    about = {
        "task": space.task,
        "side_px": space.side_px,
        "channels": space.network[0].in_channels,
        "classes": space.network[-1].out_features,
        "scale": space.scale,
        "bounds": None if reference.bounds is None else asdict(reference.bounds),
    }
    tensors: dict[str, Tensor] = {
        **{f"network.{name}": tensor for name, tensor in space.network.state_dict().items()},
        **_tensors("train", reference.train),
        **_tensors("val", reference.val),
    }
    return write_tensors(tensors, {"format": _KIND, "about": json.dumps(about, sort_keys=True)})


def load_reference(data: bytes, *, device: str = "cpu") -> Reference:
    """What was saved. Raises BadInput for damaged bytes."""
    tensors, metadata = read_tensors(data, kind=_KIND)
    try:
        about = json.loads(metadata["about"])
        task, side_px = cast("Task", str(about["task"])), int(about["side_px"])
        limits = None if about["bounds"] is None else Bounds(**about["bounds"])
        train, val = (_places(name, tensors) for name in ("train", "val"))
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput("the reference was made by another version of this system") from error
    weights = {
        name.removeprefix("network."): tensor
        for name, tensor in tensors.items()
        if name.startswith("network.")
    }
    network = _network(weights, about, device)
    return Reference(
        FeatureSpace(network, task, side_px, about["scale"], device), train, val, limits
    )


def _network(weights: Mapping[str, Tensor], about: Mapping[str, int], device: str) -> SmallCnn:
    network = SmallCnn(about["channels"], about["classes"])
    fill_parameters(network.state_dict(), weights, kind=_KIND)
    network.requires_grad_(requires_grad=False).eval()
    network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


def _tensors(name: str, places: Places) -> dict[str, Tensor]:
    return {
        f"{name}.features": torch.from_numpy(places.features),
        f"{name}.pixels": torch.from_numpy(places.pixels),
        f"{name}.labels": torch.from_numpy(places.labels),
    }


def _places(name: str, tensors: Mapping[str, Tensor]) -> Places:
    parts = (tensors[f"{name}.{part}"].numpy() for part in ("features", "pixels", "labels"))
    return Places(*parts)
