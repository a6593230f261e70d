"""What a classifier's training minimises: cross-entropy, weighed or taught."""

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

#: Softens a teacher's probabilities, and the student's where the two are compared.
DISTILLING_TEMPERATURE: Final = 2.0


def classification_loss(
    logits: Tensor, labels: Tensor, *, weights: Tensor | None, soft: Tensor | None, share: float
) -> Tensor:
    """(1 - share) CE(labels) + share T^2 KL(teacher || student), of logits ``[N, K]``.

    Hinton, Vinyals & Dean, "Distilling the knowledge in a neural network", 2015, section 2. Without
    ``soft`` (the teacher's probabilities ``[N, K]`` at temperature T) the loss is cross-entropy,
    each category weighing ``weights`` ``[K]``; they may end before those without images.
    """
    if weights is not None:
        weights = functional.pad(weights, (0, logits.shape[1] - len(weights)))
    hard = functional.cross_entropy(logits, labels, weight=weights)
    if soft is None:
        return hard
    student = functional.log_softmax(logits / DISTILLING_TEMPERATURE, dim=1)
    taught = functional.kl_div(student, soft, reduction="batchmean")
    return (1.0 - share) * hard + share * DISTILLING_TEMPERATURE**2 * taught


def balancing_weights(labels: NDArray[np.int64]) -> Tensor:
    """n / (K n_k) for each category k, float32 ``[K]``; 0 for one without images.

    King & Zeng, "Logistic regression in rare events data", Political Analysis 9, 2001.
    """
    counts = np.bincount(labels)
    weights = np.divide(
        len(labels), len(counts) * counts, out=np.zeros(len(counts)), where=counts > 0
    )
    return torch.from_numpy(weights.astype(np.float32))
