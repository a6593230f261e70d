"""Which device this process computes on."""

import torch


def gpu_name() -> str | None:
    """The UUID of the process's GPU, equal in all processes and containers; None without one."""
    if not torch.cuda.is_available():
        return None
    return f"gpu-{torch.cuda.get_device_properties(0).uuid}"
