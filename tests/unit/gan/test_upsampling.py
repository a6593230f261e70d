"""Upsampling as a GPU does it, held against PyTorch's own on a CPU."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from services.gan.domain.layers import upsample
from services.gan.domain.upsampling import upsample_fixed_order
from shared.compute.precision import Precision, reproducible

SHAPES = [(2, 3, 4, 4), (1, 2, 1, 1), (2, 16, 8, 2), (3, 1, 16, 16)]
DTYPES = [torch.float64, torch.float32, torch.bfloat16]


def _plain(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_it_is_pytorchs_upsampling_and_its_gradient(
    shape: tuple[int, ...], dtype: torch.dtype, layout: torch.memory_format
) -> None:
    torch.manual_seed(0)
    x = torch.randn(shape, dtype=dtype).contiguous(memory_format=layout).requires_grad_()
    found, expected = upsample_fixed_order(x), _plain(x)
    assert torch.equal(found, expected)
    assert found.stride() == expected.stride()
    weights = torch.randn_like(found)
    (ours,) = torch.autograd.grad(found, x, weights)
    (theirs,) = torch.autograd.grad(expected, x, weights)
    assert ours.is_contiguous(memory_format=layout)
    rough = 0.01 if dtype is torch.bfloat16 else 1e-6
    torch.testing.assert_close(ours, theirs, rtol=rough, atol=1e-6)


def test_its_gradient_is_the_one_of_what_it_does() -> None:
    x = torch.randn(2, 2, 3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(upsample_fixed_order, x)


class _Kernels(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes what a device is asked to do."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.names: list[str] = []

    def __torch_dispatch__(
        self, function: Any, _types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if function.namespace == "aten":
            self.names.append(function.overloadpacket.__name__)
        return function(*args, **(kwargs or {}))


def test_a_gpu_is_asked_for_one_kernel_where_all_must_be_deterministic() -> None:
    precision = Precision(device="cpu", dtype_name="float32", threads=1)
    with reproducible(precision), FakeTensorMode():
        x = torch.empty(2, 8, 4, 4, device="cuda", requires_grad=True)
        with _Kernels() as asked:
            upsample(x)
    assert asked.names == ["upsample_bilinear2d"]
