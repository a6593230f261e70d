"""A device that computes nothing: what a GPU would be asked to do, on a machine that has none.

Tensors of PyTorch's ``meta`` device have shapes and no values. So what reads one back fails, and
each operation, of backward passes too, can be asked where its tensors lie.
"""

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

#: Operations that fail on a GPU where kernels must be deterministic: those that PyTorch's manual
#: lists under ``use_deterministic_algorithms`` and that networks of images might come upon.
REFUSED = {
    "aten._adaptive_avg_pool2d_backward.default",
    "aten.adaptive_max_pool2d_backward.default",
    "aten.grid_sampler_2d_backward.default",
    "aten.nll_loss2d_forward.default",
    "aten.replication_pad2d_backward.default",
    "aten.upsample_bilinear2d_backward.default",
    "aten.upsample_bilinear2d_backward.vec",
}


class Whereabouts(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes the operations within, and those that touch memory of another device than ``meta``."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.operations: list[str] = []
        self.elsewhere: list[str] = []

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        found = func(*args, **(kwargs or {}))
        self.operations.append(str(func))
        tensors = [each for each in tree_leaves((args, kwargs, found)) if isinstance(each, Tensor)]
        if any(each.device.type != "meta" for each in tensors):
            self.elsewhere.append(str(func))
        return found
