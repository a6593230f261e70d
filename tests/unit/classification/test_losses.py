"""The loss of a training, by hand."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from services.classification.domain.losses import (
    DISTILLING_TEMPERATURE,
    balancing_weights,
    classification_loss,
)

LOGITS = torch.tensor([[2.0, 0.0, -1.0], [0.5, 0.5, 0.0]])
LABELS = torch.tensor([0, 2])


def test_without_a_teacher_it_is_cross_entropy() -> None:
    made = classification_loss(LOGITS, LABELS, weights=None, soft=None, share=0.5)
    assert made.item() == pytest.approx(functional.cross_entropy(LOGITS, LABELS).item())


def test_a_teacher_that_agrees_leaves_only_the_labels() -> None:
    soft = torch.softmax(LOGITS / DISTILLING_TEMPERATURE, dim=1)
    made = classification_loss(LOGITS, LABELS, weights=None, soft=soft, share=0.25)
    expected = 0.75 * functional.cross_entropy(LOGITS, LABELS)
    assert made.item() == pytest.approx(expected.item(), abs=1e-6)


def test_a_teacher_that_differs_by_hand() -> None:
    soft = torch.tensor([[0.5, 0.25, 0.25], [0.2, 0.2, 0.6]])
    student = torch.softmax(LOGITS / 2.0, dim=1)
    divergence = (soft * (soft / student).log()).sum(dim=1).mean()
    made = classification_loss(LOGITS, LABELS, weights=None, soft=soft, share=1.0)
    assert made.item() == pytest.approx(4.0 * divergence.item(), rel=1e-5)


def test_weights_make_every_category_count_alike() -> None:
    weights = balancing_weights(np.array([0, 0, 0, 1, 3, 3]))
    assert weights.tolist() == pytest.approx([0.5, 1.5, 0.0, 0.75])


def test_a_category_that_lost_all_its_images_weighs_nothing() -> None:
    """Filtered samples may leave none of the last one: the network still tells it apart."""
    logits = torch.tensor([[2.0, 0.0, -1.0], [0.5, 0.5, 0.0]])
    labels = torch.tensor([0, 1])
    weights = balancing_weights(labels.numpy())
    assert weights.shape == (2,)
    made = classification_loss(logits, labels, weights=weights, soft=None, share=0.5)
    assert made.item() == pytest.approx(functional.cross_entropy(logits, labels).item())
