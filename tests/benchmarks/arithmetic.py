"""How many floating-point operations something does, and how many a processor does at best."""

import time
from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

SIDE = 1024
TRIES = 10


class _Counting(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up what convolutions and matrix products do, those of backward passes too.

    PyTorch's own ``FlopCounterMode`` follows modules as well, which double backward passes break.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.found = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        found = func(*args, **(kwargs or {}))
        count = flop_registry.get(func._overloadpacket)
        if count is not None:
            self.found += count(*args, **(kwargs or {}), out_val=found)
        return found


def operations(run: Callable[[], object]) -> int:
    """Additions and multiplications of the convolutions and matrix products in ``run``."""
    with _Counting() as counting:
        run()
    return int(counting.found)


def best_rate(dtype: torch.dtype) -> float:
    """Operations a second of a matrix product, on PyTorch's threads: the best of some."""
    a, b = (torch.ones(SIDE, SIDE, dtype=dtype) for _ in range(2))
    seconds = []
    for _ in range(TRIES):
        started = time.perf_counter()
        a @ b
        seconds.append(time.perf_counter() - started)
    return float(2 * SIDE**3 / min(seconds))
