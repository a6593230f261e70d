"""Augmentation beside albumentations 2.0.8 and torchvision v2, on 128 x 128 grey images.

All do the same operations within the same bounds, each to half of the copies, on one thread; the
others as their users write it, one transform an operation. First the pictures are compared: what
one resampling makes of a series with what the others make of it step by step.

albumentations is no dependency of ours (MIT up to 2.0.8; what follows it is AGPL). ``make bench``
lends it to this program alone:

    NO_ALBUMENTATIONS_UPDATE=1 .venv/bin/uv run --no-project --python .venv/bin/python \\
        --with albumentations==2.0.8 python -m tests.benchmarks.augmentation_speed
"""

import importlib.util
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from lesiongan.contracts.augmentation import AugmentOptions, Interpolation, usual_operations
from services.augmentation.domain.augment import augment
from services.augmentation.domain.series import Series, draw_series, generator
from services.augmentation.handlers import make_copy
from services.preprocessing.domain.hounsfield import decode_hu
from services.preprocessing.domain.windowing import apply_window
from tests.benchmarks.augmentation_peers import torchvision_peer
from tests.benchmarks.augmentation_peers.peer import GEOMETRY, Grey, Peer
from tests.benchmarks.data_plane.slices import Slices

SIDE = 128
IMAGES = 64
ROUNDS = 7
#: The parts of a picture that no edge can reach.
_MIDDLE = slice(SIDE // 4, 3 * SIDE // 4)


def main() -> None:
    """Print how far pictures are apart, microseconds a picture, and the ratios."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    images = _images()
    peers = _peers()
    sys.stdout.writelines(_compared(peer, images) for peer in peers)
    for interpolation in ("nearest", "linear"):
        for peer in peers:
            sys.stdout.write(_timed(peer, images, interpolation))
        sys.stdout.flush()


def _peers() -> list[Peer]:
    peers: list[Peer] = [torchvision_peer.Torchvision()]
    if importlib.util.find_spec("albumentations") is None:
        sys.stdout.write("albumentations is not installed: see this program's docstring\n")
        return peers
    peer = importlib.import_module("tests.benchmarks.augmentation_peers.albumentations_peer")
    return [peer.Albumentations(), peer.AlbumentationsFused(), *peers]


def _images() -> list[Grey]:
    """Drawn slices in an abdominal window."""
    slices = Slices()
    found = []
    for number in range(IMAGES):
        stored = cv2.imdecode(np.frombuffer(slices.png(number), np.uint8), cv2.IMREAD_UNCHANGED)
        grey = apply_window(decode_hu(np.asarray(stored, np.uint16)), (-160.0, 240.0))
        small = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        found.append(np.asarray(small, np.uint8))
    return found


def _compared(peer: Peer, images: Sequence[Grey]) -> str:
    """Of geometry and contrast; noise is each one's own."""
    ours, theirs = [], []
    for index, image in enumerate(images):
        random = generator(0, index, 1)
        series = _whole_pixels(draw_series(random, [*GEOMETRY, "contrast"]))
        once = _once(image, series)
        other = peer.step_by_step(image, series)
        if other is None:
            return ""
        ours.append(_apart(once, _step_by_step(image, series)))
        theirs.append(_apart(once, other))
    return (
        f"one resampling beside {peer.name} step by step, linear: "
        f"{statistics.mean(theirs):.2f} grey levels apart (largest of {len(images)} images "
        f"{max(theirs):.2f}); beside our own step by step {statistics.mean(ours):.2f} "
        f"({max(ours):.2f})\n"
    )


def _whole_pixels(series: Series) -> Series:
    """albumentations moves by no others."""
    x, y = (round(each * SIDE) / SIDE for each in (series.shift_x, series.shift_y))
    return replace(series, shift_x=x, shift_y=y)


def _once(image: Grey, series: Series) -> Grey:
    return np.asarray(augment(image[None], series, generator(0, 0, 0), interpolation="linear")[0])


def _step_by_step(image: Grey, series: Series) -> Grey:
    for step in (
        Series(shear_degrees=series.shear_degrees),
        Series(rotation_degrees=series.rotation_degrees),
        Series(scale=series.scale),
        Series(shift_x=series.shift_x, shift_y=series.shift_y),
        Series(gain=series.gain, offset_grey=series.offset_grey),
    ):
        image = _once(image, step)
    return image


def _apart(one: Grey, other: Grey) -> float:
    """The mean difference in grey levels, in the middle of the picture."""
    first, second = (each[_MIDDLE, _MIDDLE].astype(np.float64) for each in (one, other))
    return float(np.abs(first - second).mean())


def _timed(peer: Peer, images: Sequence[Grey], interpolation: Interpolation) -> str:
    options = AugmentOptions(operations=usual_operations(), interpolation=interpolation)
    series = peer.random_series(interpolation)
    grey: list[NDArray[np.uint8]] = [image[None] for image in images]

    def ours(turn: int) -> None:
        for index, image in enumerate(grey):
            make_copy(image, options, index, turn)

    def theirs(_: int) -> None:
        for image in images:
            series(image)

    turns = [(_microseconds(ours, turn), _microseconds(theirs, turn)) for turn in range(ROUNDS)]
    ratios = sorted(other / own for own, other in turns[1:])
    own, other = (statistics.median(turn[place] for turn in turns[1:]) for place in (0, 1))
    return (
        f"{interpolation}: ours {own:.0f} us a copy, {peer.name} {other:.0f} us: "
        f"{statistics.median(ratios):.1f} times (min {ratios[0]:.1f}, max {ratios[-1]:.1f}, "
        f"n = {len(ratios)})\n"
    )


def _microseconds(work: Callable[[int], None], turn: int) -> float:
    """Of this process' time on a core, so that other programs matter little."""
    began = time.process_time()
    work(turn)
    return (time.process_time() - began) / IMAGES * 1e6


if __name__ == "__main__":
    main()
