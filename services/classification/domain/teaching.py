"""What a teacher, trained on real images alone, does to the images of another training.

It throws out synthetic images that it does not recognise (as in "self-training with noisy student",
Xie et al., CVPR 2020, filtered by confidence), labels images that have no label (Lee,
"Pseudo-label", ICML workshop 2013), and softens labels (Hinton et al., 2015).
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from services.classification.domain.calibration import tempered
from services.classification.domain.images import LabelledImages
from services.classification.domain.losses import DISTILLING_TEMPERATURE

#: In the place of a label, where there is none.
NO_LABEL = -1

#: Probabilities float32 [N, K] of uint8 [N, C, H, W].
Teacher = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


def filtered(images: LabelledImages, teacher: Teacher, confidence: float) -> LabelledImages:
    """Without synthetic images whose category the teacher does not name, or not as surely."""
    places = np.flatnonzero(images.synthetic)
    if not places.size:
        return images
    said = teacher(images.pixels[places])
    agrees = said.argmax(axis=1) == images.labels[places]
    keep = ~images.synthetic
    keep[places] = agrees & (said.max(axis=1) >= confidence)
    return LabelledImages(images.pixels[keep], images.labels[keep], images.synthetic[keep])


def named(unlabelled: NDArray[np.uint8], teacher: Teacher, confidence: float) -> NDArray[np.int64]:
    """Labels [M] of images [M, C, H, W]; ``NO_LABEL`` where the teacher is not so sure."""
    said = teacher(unlabelled)
    sure = said.max(axis=1) >= confidence
    return np.where(sure, said.argmax(axis=1), NO_LABEL).astype(np.int64)


def pseudo_labelled(
    images: LabelledImages, unlabelled: NDArray[np.uint8], teacher: Teacher, confidence: float
) -> LabelledImages:
    """With those of ``unlabelled`` [M, C, H, W] that the teacher is sure of, as it names them."""
    if not len(unlabelled):
        return images
    labels = named(unlabelled, teacher, confidence)
    sure = labels != NO_LABEL
    return LabelledImages(
        np.concatenate([images.pixels, unlabelled[sure]]),
        np.concatenate([images.labels, labels[sure]]),
        np.concatenate([images.synthetic, np.zeros(int(sure.sum()), dtype=np.bool_)]),
    )


def softened(images: LabelledImages, teacher: Teacher) -> LabelledImages:
    """With the teacher's probabilities at the temperature of distilling."""
    said = tempered(teacher(images.pixels), DISTILLING_TEMPERATURE).astype(np.float32)
    return replace(images, soft=said)
