"""This machine, or container: its disk, cores and GPUs."""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from deploy.doctor.finding import Findings, error, ok, warning
from services.classification.settings import ClassificationSettings
from services.gan.settings import GanSettings

LITTLE_BYTES = 10 * 2**30
TOO_LITTLE_BYTES = 2**30
GIB = 2**30
Usage = Callable[[Path], int]


def _free(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def check_disk(home: Path | None, *, free: Usage = _free) -> Findings:
    """Where uploads are unpacked and, of the embedded stack, where its data are."""
    scratch = Path(tempfile.gettempdir())
    for what, folder in (("temporary files", scratch), ("the stack's data", home)):
        if folder is None:
            continue
        left = free(folder)
        said = f"{left / GIB:.1f} GiB free for {what} ({folder})"
        if left < TOO_LITTLE_BYTES:
            yield error("disk", said, "make room: jobs fail with `Disk full`")
        elif left < LITTLE_BYTES:
            yield warning("disk", said, "make room: an upload may be unpacked to 64 GiB")
        else:
            yield ok("disk", said)


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0))


def check_threads(available: int) -> Findings:
    """Threads of torch against cores: more of them than cores slow each other."""
    asked = {
        "LESIONGAN_GAN_THREADS": GanSettings().threads,
        "LESIONGAN_CLASSIFICATION_THREADS": ClassificationSettings().threads,
        "OMP_NUM_THREADS": int(os.environ.get("OMP_NUM_THREADS") or 0) or None,
    }
    many = {name: count for name, count in asked.items() if count and count > available}
    for name, count in many.items():
        yield warning("threads", f"{name} is {count}, there are {available} cores", "lower it")
    if not many:
        given = ", ".join(f"{name}={count}" for name, count in asked.items() if count)
        yield ok("threads", f"{available} cores; {given or 'none set: chosen by each service'}")


def check_gpus() -> Findings:
    """Whether torch sees the GPUs that the driver shows."""
    if importlib.util.find_spec("torch") is None:
        yield ok("gpu", "no torch here: this is no worker")
        return
    torch: Any = importlib.import_module("torch")
    driver = Path("/dev/nvidiactl").exists()
    if not torch.cuda.is_available():
        if driver:
            said = "there is an NVIDIA driver, but torch sees no GPU"
            todo = (
                "the driver must be 580 or newer, torch the CUDA build, and a container be given "
                "the GPU (compose.gpu.yml)"
            )
            yield error("gpu", said, todo)
        else:
            yield ok("gpu", "none: trainings and sampling run on the CPU")
        return
    for index in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(index)
        name = torch.cuda.get_device_name(index)
        yield ok("gpu", f"{name}: {free / GIB:.1f} of {total / GIB:.1f} GiB free")


def check_shares(shares: Iterable[tuple[str, float | None]]) -> Findings:
    """What the workers of each GPU may take of its memory, as (GPU, share of it)."""
    by_gpu: dict[str, list[float | None]] = {}
    for gpu, share in shares:
        by_gpu.setdefault(gpu, []).append(share)
    for gpu, known in sorted(by_gpu.items()):
        capped = sum(share for share in known if share is not None)
        todo = "limit each in PYTORCH_ALLOC_CONF, as deploy/compose.gpu.yml does"
        if None in known and len(known) > 1:
            yield warning("gpu", f"{gpu}: a worker that shares it has no limit", todo)
        elif capped > 1:
            yield error("gpu", f"{gpu}: its workers may take {capped:.0%} of its memory", todo)
        else:
            yield ok("gpu", f"{gpu}: {len(known)} workers, at most {capped or 1:.0%} of its memory")
