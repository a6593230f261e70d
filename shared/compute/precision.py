"""Where and how numbers are computed: chosen once, recorded, never tuned on the way.

bfloat16 with channels-last images is faster wherever the processor multiplies bfloat16 itself (AMX
or AVX512-BF16 on a CPU, any recent GPU). Bit-exact resume and regeneration need the same kernels in
the same order each time: a fixed thread count, deterministic algorithms, no autotuning.
"""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch

from shared.errors import BadInput

DTypeName = Literal["float32", "bfloat16"]
_DTYPES: dict[DTypeName, torch.dtype] = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class Precision:
    """``device`` is ``cpu``, ``cuda`` or ``cuda:<n>``; ``threads`` counts CPU threads."""

    device: str
    dtype_name: DTypeName
    threads: int

    def __post_init__(self) -> None:
        if self.dtype_name not in _DTYPES:
            raise BadInput(f"dtype_name must be float32 or bfloat16: {self.dtype_name}")
        if not 1 <= self.threads <= 1024:
            raise BadInput(f"threads must be 1 to 1024: {self.threads}")

    @property
    def dtype(self) -> torch.dtype:
        return _DTYPES[self.dtype_name]

    @property
    def device_class(self) -> str:
        """What must be equal for equal bytes, such as ``cpu-avx512_bf16-bfloat16``."""
        kind = torch.device(self.device)
        name = _cpu_name() if kind.type == "cpu" else torch.cuda.get_device_name(kind)
        return f"{kind.type}-{name}-{self.dtype_name}".replace(" ", "_").lower()

    def record(self) -> dict[str, Any]:
        """For manifests and model cards."""
        return {
            **asdict(self),
            "device_class": self.device_class,
            "torch": str(torch.__version__),
        }


def _cpu_multiplies_bfloat16() -> bool:
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("amx_bf16") or capabilities.get("avx512_bf16"))


def _gpu_multiplies_bfloat16(device: str) -> bool:
    with torch.cuda.device(device):
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))


def _cpu_name() -> str:
    capabilities = torch.cpu.get_capabilities()
    for extension in ("amx_bf16", "avx512_bf16", "avx512_f", "avx2"):
        if capabilities.get(extension):
            return extension
    return str(capabilities.get("architecture", "unknown"))


def choose_precision(
    *, device: str | None = None, dtype_name: DTypeName | None = None, threads: int | None = None
) -> Precision:
    """The fastest sound choice for this machine; an argument that is given is kept.

    Half of the cores: threads meet at barriers that spin, so one that waits for a core which
    another process holds stops them all. On two shared cores two threads took up to ten times as
    long as one.

    Raises BadInput when ``device`` asks for a GPU that is not there.
    """
    if device is None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
    on_gpu = _is_gpu(device)
    if on_gpu and not torch.cuda.is_available():
        raise BadInput(f"device {device} was asked for, but this machine has no usable GPU")
    if dtype_name is None:
        fast = _gpu_multiplies_bfloat16(device) if on_gpu else _cpu_multiplies_bfloat16()
        dtype_name = "bfloat16" if fast else "float32"
    if threads is None:
        threads = max(1, len(os.sched_getaffinity(0)) // 2)
    return Precision(device=device, dtype_name=dtype_name, threads=threads)


@contextmanager
def reproducible(precision: Precision) -> Iterator[None]:
    """Fixed thread count and deterministic kernels within; what was set before comes back after.

    On a GPU it is the current one, and float32 is float32.
    """
    threads = torch.get_num_threads()
    strictness = torch.get_deterministic_debug_mode()
    autotuning = torch.backends.cudnn.benchmark
    filling: Any = torch.utils.deterministic  # a module with one settable property
    filled = filling.fill_uninitialized_memory
    torch.set_num_threads(precision.threads)
    # `use_deterministic_algorithms` does this too, and loads torch's compiler, for seconds.
    torch.set_deterministic_debug_mode("error")
    torch.backends.cudnn.benchmark = False
    # Would write each new tensor twice, to make reads of unset memory reproducible: there are none.
    filling.fill_uninitialized_memory = False
    try:
        with _gpu(precision.device) if _is_gpu(precision.device) else nullcontext():
            yield
    finally:
        torch.set_num_threads(threads)
        torch.set_deterministic_debug_mode(strictness)
        torch.backends.cudnn.benchmark = autotuning
        filling.fill_uninitialized_memory = filled


def reproducible_on_gpu(device: str) -> AbstractContextManager[None]:
    """As :func:`reproducible` in float32 on a GPU; on a CPU everything stays as it is set."""
    if not _is_gpu(device):
        return nullcontext()
    return reproducible(Precision(device, "float32", torch.get_num_threads()))


def random_kept(device: str) -> AbstractContextManager[None]:
    """Random numbers drawn within leave those after it as they would be.

    Unless it is told which, torch begins every GPU of the machine for that, also for a CPU.
    """
    gpus = [torch.device(device)] if _is_gpu(device) else []
    return torch.random.fork_rng(gpus, device_type="cuda")


def _is_gpu(device: str) -> bool:
    return torch.device(device).type == "cuda"


@contextmanager
def _gpu(device: str) -> Iterator[None]:
    """Streams and graphs are made on the current GPU, and without TF32, which has 10 bits."""
    # cuBLAS reads this when it starts: without it, its reductions may differ from run to run.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    convolutions, products = torch.backends.cudnn, torch.backends.cuda.matmul
    before = convolutions.allow_tf32, products.allow_tf32
    convolutions.allow_tf32 = products.allow_tf32 = False
    try:
        with torch.cuda.device(device):
            yield
    finally:
        convolutions.allow_tf32, products.allow_tf32 = before
