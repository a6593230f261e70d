"""What a worker does before its first job."""

import pytest
import torch

from services.classification.hot import warm_up
from shared.errors import BadInput


def test_a_worker_warms_up_on_the_device_that_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setenv("LESIONGAN_CLASSIFICATION_DEVICE", "cpu")
    warm_up()
    monkeypatch.setenv("LESIONGAN_CLASSIFICATION_DEVICE", "cuda")
    with pytest.raises(BadInput, match="no usable GPU"):
        warm_up()
