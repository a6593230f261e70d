"""What a training's passes through its networks cost, beside another's."""

import math


def work_of_passes(passes: int, *, batch_size: int, image_size: int) -> float:
    """The work of batches of ``batch_size`` square images of ``image_size`` pixels.

    A pass of small networks costs the same whatever its pixels, one of large networks as much more
    as it has more of them: by their square root a size of the double is within two of both.
    """
    return passes * image_size * math.sqrt(batch_size)
