"""Memory of a GPU that a training leaves behind."""

import gc
import sys
from typing import Any


def give_back() -> None:
    """Give what nothing in this process holds any more to whoever computes on the GPU next.

    torch is looked for, never imported: a process that has not loaded it uses no GPU.
    """
    torch: Any = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return
    gc.collect()
    torch.cuda.empty_cache()
