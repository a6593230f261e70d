"""A function of tensors as a CUDA graph: what a GPU runs in place of a training step.

A graph replays kernels on the memory that they were recorded with. So inputs are copied into places
that stay, and the host says one thing a step in place of some hundred. What is recorded first runs
on a side stream, as PyTorch's notes on CUDA graphs ask for; that changes the state, which is put
back. A graph that does not do what the eager function does is not used.
"""

import gc
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor

from shared.compute.transfer import pinned

log = logging.getLogger(__name__)

#: Kernels are chosen, and workspaces allocated, in the first runs.
_WARM_UPS = 3
#: How far a replay may be from the eager step: sums of floats in another order.
_ALIKE = 1e-3

#: The tensors of one call, by their place.
Inputs = Sequence[Tensor]


class Recorded(NamedTuple):
    """``replay`` does again what was recorded; ``found`` is where its result lies."""

    replay: Callable[[], None]
    found: Tensor


Recorder = Callable[[Callable[[], Tensor]], Recorded]


class CudaGraphs:
    """Records what ``run`` does on ``device``, the current one, after it ran on a side stream.

    The graphs of one training are never at work at once: they share one pool of memory.
    """

    def __init__(self, device: str) -> None:
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._pool = torch.cuda.graph_pool_handle()

    def __call__(self, run: Callable[[], Tensor]) -> Recorded:
        stream, current = self._stream, torch.cuda.current_stream()
        stream.wait_stream(current)
        with torch.cuda.stream(stream):
            for _ in range(_WARM_UPS):
                run()
        current.wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        # Other threads, such as that of the metrics, may ask the device for its memory meanwhile.
        recording = torch.cuda.graph(
            graph, pool=self._pool, stream=stream, capture_error_mode="thread_local"
        )
        with _no_collection(), recording:
            found = run()
        return Recorded(graph.replay, found)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Python looks for cycles before, and not within: an older graph that died then would break
    the recording.
    """
    gc.collect()
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class Captured:
    """``function`` of inputs that lie in fixed places; eager where it cannot be recorded.

    ``example`` are inputs of the shapes that all will have, ``changed`` the tensors that the
    function changes in place: it must read and write no other memory that moves.
    """

    def __init__(
        self,
        function: Callable[[Inputs], Tensor],
        example: Inputs,
        changed: Sequence[Tensor],
        *,
        device: str,
        recorder: Recorder,
    ) -> None:
        self._function = function
        self._places = [torch.empty_like(each, device=device) for each in example]
        self._changed = changed
        self._fill(example)
        #: Why no graph is used; None where one is.
        self.eager_because: str | None = None
        self._recorded = self._record(recorder)

    def __call__(self, inputs: Inputs) -> Tensor:
        self._fill(inputs)
        if self._recorded is None:
            return self._run()
        self._recorded.replay()
        return self._recorded.found.clone()

    def _run(self) -> Tensor:
        return self._function(self._places)

    def _fill(self, inputs: Inputs) -> None:
        """Without waiting for a GPU."""
        for place, new in zip(self._places, inputs, strict=True):
            place.copy_(pinned(new) if place.is_cuda else new, non_blocking=True)

    def _record(self, recorder: Recorder) -> Recorded | None:
        before = self._copies()
        try:
            expected = [self._run().clone(), *self._copies()]
            self._put_back(before)
            recorded = recorder(self._run)
            self._put_back(before)
            recorded.replay()
            same = all(map(_alike, (recorded.found, *self._changed), expected))
        except RuntimeError as error:
            self._stay_eager(str(error).partition("\n")[0])
            return None
        finally:
            self._put_back(before)
        if not same:
            self._stay_eager("the graph's step differs from it")
        return recorded if same else None

    def _stay_eager(self, reason: str) -> None:
        log.warning("a step runs as it is, not as a CUDA graph: %s", reason)
        self.eager_because = reason

    def _copies(self) -> list[Tensor]:
        return [each.detach().clone() for each in self._changed]

    @torch.no_grad()
    def _put_back(self, values: Sequence[Tensor]) -> None:
        for place, value in zip(self._changed, values, strict=True):
            place.copy_(value)


def _alike(one: Tensor, other: Tensor) -> bool:
    return torch.allclose(one, other, rtol=_ALIKE, atol=_ALIKE)
