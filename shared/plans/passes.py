"""What passes through networks, and making images, cost beside what others of their kind do."""

import math


def work_of_large_passes(passes: int, *, batch_size: int, image_size: int) -> float:
    """As :func:`work_of_passes`, where each pixel costs the same, and equal to it for 64 images of
    32 pixels: the small CNN's step at 64 pixels takes 4 to 5 times one at 32.
    """
    there = work_of_passes(1, batch_size=64, image_size=32)
    return passes * there * (batch_size * image_size**2) / (64 * 32**2)


def work_of_passes(passes: int, *, batch_size: int, image_size: int) -> float:
    """The work of batches of ``batch_size`` square images of ``image_size`` pixels.

    A pass of small networks costs the same whatever its pixels, one of large networks as much more
    as it has more of them: by their square root a size of the double is within two of both.
    """
    return passes * image_size * math.sqrt(batch_size)


def work_of_images(images: float, *, size: float) -> float:
    """The work of making ``images`` of ``size`` each, in pixels or in bytes.

    A small image costs about the same whatever its size, a large one as much more as it is larger:
    as with passes, the root of it is within two of both where the size is up to four times another.
    """
    return images * math.sqrt(size)
