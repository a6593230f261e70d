from unittest.mock import Mock, create_autospec

import pytest
import torch
from torch import Tensor

from shared.compute.transfer import pinned, to_device


@pytest.fixture
def tensor() -> Mock:
    fake: Mock = create_autospec(Tensor, instance=True)
    fake.numel.return_value = 3
    return fake


def test_a_gpu_reads_pinned_memory_while_the_host_goes_on(tensor: Mock) -> None:
    assert to_device(tensor, "cuda:1") is tensor.pin_memory.return_value.to.return_value
    tensor.pin_memory.return_value.to.assert_called_once_with("cuda:1", non_blocking=True)


def test_a_cpu_has_it_already(tensor: Mock) -> None:
    real = torch.ones(3)
    assert to_device(real, "cpu") is real
    to_device(tensor, "cpu")
    tensor.pin_memory.assert_not_called()


def test_nothing_is_not_pinned(tensor: Mock) -> None:
    tensor.numel.return_value = 0
    assert pinned(tensor) is tensor
    tensor.pin_memory.assert_not_called()
