"""What is asked of CUDA where a step is recorded, as far as a machine without it can tell."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor

from services.gan.domain.captured import CudaGraphs


class Cuda:
    """What :class:`CudaGraphs` asks of ``torch.cuda``, written down."""

    def __init__(self) -> None:
        self.said: list[Any] = []

    def Stream(self, device: str) -> "Cuda":  # noqa: N802 - as torch names it
        self.said.append(device)
        return self

    def current_stream(self) -> "Cuda":
        return self

    def wait_stream(self, _: "Cuda") -> None:
        self.said.append("waits")

    def graph_pool_handle(self) -> str:
        return f"pool {id(self)}"

    def CUDAGraph(self) -> "Cuda":  # noqa: N802 - as torch names it
        return self

    def replay(self) -> None:
        self.said.append("replays")

    @contextmanager
    def stream(self, _: "Cuda") -> Iterator[None]:
        yield

    @contextmanager
    def graph(self, _: "Cuda", **options: Any) -> Iterator[None]:
        self.said.append(options)
        yield


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> Cuda:
    fake = Cuda()
    names = "Stream current_stream graph_pool_handle CUDAGraph stream graph"
    for name in names.split():
        monkeypatch.setattr(torch.cuda, name, getattr(fake, name))
    return fake


def test_a_step_is_recorded_after_it_ran_on_the_stream_that_records(cuda: Cuda) -> None:
    def run() -> Tensor:
        cuda.said.append("runs")
        return torch.ones(1)

    recorded = CudaGraphs("cuda:1")(run)
    recorded.replay()
    options = {
        "pool": cuda.graph_pool_handle(),
        "stream": cuda,
        "capture_error_mode": "thread_local",
    }
    assert cuda.said == ["cuda:1", "waits", *3 * ["runs"], "waits", options, "runs", "replays"]


@pytest.mark.usefixtures("cuda")
def test_python_looks_for_cycles_before_a_recording_and_not_within(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(gc, "collect", lambda: asked.append(gc.isenabled()))
    seen: list[bool] = []

    def run() -> Tensor:
        seen.append(gc.isenabled())
        if len(seen) == 8:
            raise RuntimeError("operation not permitted when stream is capturing")
        return torch.ones(1)

    graphs = CudaGraphs("cuda:1")
    graphs(run)
    assert (seen, asked) == ([True, True, True, False], [True])
    with pytest.raises(RuntimeError, match="capturing"):
        graphs(run)
    assert seen[-1] is False
    assert gc.isenabled()
