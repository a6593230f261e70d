"""Which device this process computes on."""

import torch


def gpu_name(device: str | None) -> str | None:
    """The UUID of ``device``, equal in all processes and containers; None where it is no GPU.

    A device that nobody named is a GPU where there is one, as ``choose_precision`` says.
    """
    place = torch.device(device or "cuda")
    if place.type != "cuda" or not torch.cuda.is_available():
        return None
    return f"gpu-{torch.cuda.get_device_properties(place).uuid}"
