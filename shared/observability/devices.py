"""What the GPUs of this process say of themselves, asked when Prometheus asks.

torch is looked for, never imported: a process that has not loaded it uses no GPU.
"""

import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

#: A busy GPU is not asked more often.
KEPT_SECONDS = 2.0


class DeviceCollector(Collector):
    """Memory and utilisation of each CUDA device that this process sees."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked_at = float("-inf")
        self._known: list[Metric] = []

    def describe(self) -> Iterable[Metric]:
        return _families()

    def collect(self) -> Iterator[Metric]:
        with self._lock:
            if time.monotonic() - self._asked_at > KEPT_SECONDS:
                self._known = list(_measured(sys.modules.get("torch")))
                self._asked_at = time.monotonic()
            yield from self._known


def _families() -> tuple[GaugeMetricFamily, GaugeMetricFamily]:
    return (
        GaugeMetricFamily(
            "lesiongan_device_memory_bytes",
            "Of a GPU: total and free of all, allocated and reserved by this process.",
            labels=["device", "state"],
        ),
        GaugeMetricFamily(
            "lesiongan_device_utilization_ratio",
            "Share of the last second in which a GPU computed, for whichever process.",
            labels=["device"],
        ),
    )


def _measured(torch: Any) -> Iterable[Metric]:
    memory, utilisation = _families()
    # A context on the GPU takes hundreds of MiB: one is not made for this.
    if torch is None or not torch.cuda.is_available() or not torch.cuda.is_initialized():
        return memory, utilisation
    for index in range(torch.cuda.device_count()):
        device = str(index)
        free, total = torch.cuda.mem_get_info(index)
        sizes = {
            "total": total,
            "free": free,
            "allocated": torch.cuda.memory_allocated(index),
            "reserved": torch.cuda.memory_reserved(index),
        }
        for state, size in sizes.items():
            memory.add_metric([device, state], size)
        busy = _utilisation(torch, index)
        if busy is not None:
            utilisation.add_metric([device], busy)
    return memory, utilisation


def _utilisation(torch: Any, index: int) -> float | None:
    """From 0 to 1; None where NVIDIA's library is not there to be asked, as beside MIG."""
    try:
        return float(torch.cuda.utilization(index)) / 100
    except (ModuleNotFoundError, RuntimeError):
        return None
    except Exception as error:
        # NVML's errors are of a module that may not be there to name them.
        if type(error).__module__ == "pynvml":
            return None
        raise


def memory_fraction() -> float | None:
    """Which share of a GPU's memory this process may take; None where nothing limits it.

    PyTorch reads it from ``PYTORCH_ALLOC_CONF``: ``name:value,name:value``.
    """
    configuration = os.environ.get("PYTORCH_ALLOC_CONF", "")
    named = dict(each.split(":", 1) for each in configuration.split(",") if ":" in each)
    value = named.get("per_process_memory_fraction")
    return None if value is None else float(value)
